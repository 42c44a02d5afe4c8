-- A worker says how it stands, and hears of the others. Who is silent for too long is forgotten.
-- KEYS workers   ARGV worker report stale_ms  ->  {now_ms, worker, report, ...} of the others
local at = now()
local held, answer = redis.call('HGETALL', KEYS[1]), {at}
for i = 1, #held, 2 do
  local since, report = string.match(held[i + 1], '^(%d+) (.*)$')
  if int(since) + ARGV[3] <= at then
    redis.call('HDEL', KEYS[1], held[i])
  elseif held[i] ~= ARGV[1] then
    answer[#answer + 1] = held[i]
    answer[#answer + 1] = report
  end
end
redis.call('HSET', KEYS[1], ARGV[1], at .. ' ' .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return answer
