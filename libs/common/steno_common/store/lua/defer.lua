-- Looks at a session again after a pause that doubles with every deferral.
-- ARGV sid first_ms longest_ms idle_ms  ->  ms until then, 0 it is gone
if redis.call('EXISTS', META) == 0 then
  forget()
  return 0
end
local tried = redis.call('HINCRBY', META, 'deferrals', 1)
local pause = math.min(int(ARGV[2]) * 2 ^ math.min(tried - 1, 30), int(ARGV[3]))
redis.call('ZADD', DUE, 'XX', now() + pause, SID)
live(ARGV[4])
return pause
