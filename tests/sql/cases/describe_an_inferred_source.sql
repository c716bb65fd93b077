-- input t: {"i":1,"d":1.5,"s":"x","b":true,"l":[1],"o":{"p":1},"day":"2026-01-01","at":"2026-01-01T00:00:00Z","n":null}

DESCRIBE t;
