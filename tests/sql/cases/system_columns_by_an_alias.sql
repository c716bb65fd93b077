-- input t key=k1: {"id":1}

SELECT x._key AS k, x.id FROM t AS x WHERE x._offset = 0;
