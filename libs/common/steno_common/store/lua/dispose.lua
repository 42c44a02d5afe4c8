-- A letter goes: it was sent, or nobody wants it. One that failed again comes anew.
-- KEYS letters size replay   ARGV id letter ('' none) most bytes  ->  1 it went, 0 it was not there
redis.call('ZREM', KEYS[3], ARGV[1])
local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not entry then return 0 end
drop_letter(KEYS[1], KEYS[2], entry)
if ARGV[2] ~= '' then post_letter(KEYS[1], KEYS[2], ARGV[2], int(ARGV[3]), int(ARGV[4])) end
return 1
