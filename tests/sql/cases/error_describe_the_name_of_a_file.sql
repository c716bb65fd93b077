-- fail: a file is named by a URI
-- input t: {"a":1}

DESCRIBE "orders.csv";
