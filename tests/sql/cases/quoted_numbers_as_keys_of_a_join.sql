-- bounded orders:
-- bounded users:
-- input orders key=a: {"id":1,"user":"7"}
-- input orders key=b: {"id":2,"user":"07.0"}
-- input orders key=c: {"id":3,"user":"8"}
-- input users key=a: {"number":7,"name":"Ada"}
-- final
-- sorted

SELECT o.id, u.name FROM orders o JOIN users u ON o.user = u.number;
