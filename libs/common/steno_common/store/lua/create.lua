-- ARGV sid config epoch idle_ms connect_ms deliver keep_ms policy ('' none)
--   deliver: names of its destinations, comma-separated
-- ->  1 created, 0 it exists (the same request repeated)
if redis.call('EXISTS', META) == 1 then return 0 end
local at = now()
redis.call('HSET', META, 'config', ARGV[2], 'epoch', ARGV[3], 'status', 'connecting', 'next', 1,
  'conn', 0, 'seen', at)
if ARGV[6] ~= '' then redis.call('HSET', META, 'deliver', ARGV[6], 'keep', ARGV[7]) end
stay(ARGV[4])
redis.call('ZADD', SESSIONS, at + ARGV[5], SID)
if ARGV[8] ~= '' then redis.call('HSET', POLICIES, SID, ARGV[8]) end
return 1
