-- Have a name stand for a session, unless it stands for another one by now.
-- KEYS name   ARGV session_id instead_of ('': of nothing) life_ms  ->  the session it stands for
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[2] then return held end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return ARGV[1]
