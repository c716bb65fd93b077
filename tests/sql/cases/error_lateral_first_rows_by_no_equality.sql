-- fail: told by equality
-- bounded states
-- bounded cities
-- input states: {"st":"ca","least":6}
-- input states: {"st":"ny","least":1}
-- input states: {"st":"tx","least":0}
-- input states: {"st":null,"least":0}
-- input cities: {"name":"los angeles","state":"ca","pop":10}
-- input cities: {"name":"san francisco","state":"ca","pop":8}
-- input cities: {"name":"san diego","state":"ca","pop":5}
-- input cities: {"name":"new york","state":"ny","pop":20}
-- input cities: {"name":"nowhere","state":null,"pop":1}

CREATE SOURCE states (st VARCHAR, least BIGINT) WITH ('topic' = 'states');
CREATE SOURCE cities (name VARCHAR, state VARCHAR, pop BIGINT) WITH ('topic' = 'cities');
SELECT s.st, c.name FROM states s CROSS JOIN LATERAL (SELECT name FROM cities WHERE pop > s.least ORDER BY pop LIMIT 2) AS c;
