-- Project: compute, rename, reach into nested values and beside the record
-- Columns with _ stand beside the record: _key _topic _partition _offset _timestamp _headers.
SELECT
  payment_id,
  upper(method) AS method,
  amount,
  fee,
  amount - fee AS net,
  round(100 * fee / amount, 2) AS percent,
  _partition AS part
FROM payments
WHERE status <> 'DECLINED';

-- fields is an object: a point reaches into it.
SELECT customer_id, fields.city AS city, fields.newsletter AS newsletter
FROM customers;
