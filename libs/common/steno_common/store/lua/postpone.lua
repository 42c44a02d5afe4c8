-- A session that still waits for a transcriber is not abandoned: its audio must not expire.
-- ARGV sid idle_ms abandon_ms  ->  1 postponed, 0 not there, or completed meanwhile
if redis.call('EXISTS', META) == 0 then
  forget()
  return 0
end
if not redis.call('ZSCORE', SESSIONS, SID) then return 0 end
-- First the write that takes no memory: after it a full Redis refuses none.
live(ARGV[2])
redis.call('ZADD', SESSIONS, now() + ARGV[3], SID)
return 1
