-- fail: say which topic

SELECT * FROM o WITH ('o.topic' = '${TOPIC:?say which topic}');
