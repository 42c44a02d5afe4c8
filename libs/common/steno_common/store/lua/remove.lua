-- ARGV sid abandoned ('1': only if it counts as abandoned, or has expired)
-- ->  1 removed, 0 was not there, or is not abandoned
if ARGV[2] == '1' and redis.call('EXISTS', META) == 1 then
  local until_ms = redis.call('ZSCORE', SESSIONS, SID)
  if not until_ms or int(until_ms) > now() then return 0 end
end
local there = redis.call('UNLINK', META, AUDIO, LOG)
forget()
ring()
if there == 0 then return 0 end
return 1
