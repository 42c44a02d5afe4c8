-- A letter goes: it was sent, or nobody wants it. One that failed again comes anew.
-- KEYS letters replay   ARGV id letter ('' none) most  ->  1 it went, 0 it was not there
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
if ARGV[2] ~= '' then redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'p', ARGV[2]) end
return 1
