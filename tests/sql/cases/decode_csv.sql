-- input t: 1,Ann,2.50
-- input t: 2,"Bob, Jr.",3
-- input t: x,Cy,1

CREATE SOURCE t (id BIGINT, name VARCHAR, price DECIMAL(8, 2)) WITH ('topic' = 't', 'format' = 'csv');
SELECT * FROM t;
