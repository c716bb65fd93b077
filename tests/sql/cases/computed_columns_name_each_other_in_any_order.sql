-- input o: {"price":"2.50","quantity":4,"meta":"{\"city\":\"Bern\"}"}

CREATE SOURCE o (doubled DECIMAL(12, 1) AS total * 2, total AS price * Quantity, price DECIMAL(10, 2), quantity BIGINT,
  meta VARCHAR, city AS meta ->> 'city', shout AS UPPER(city))
WITH ('topic' = 'o');
SELECT total, doubled, city, shout FROM o WHERE doubled > 15;
