-- Letters are due to be sent again, in the order of their events.
-- KEYS letters replay   ARGV {id, ms when its event was made}...  ->  how many there are of these
local at, known = now(), 0
for i = 1, #ARGV, 2 do
  if redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])[1] then
    redis.call('ZADD', KEYS[2], 'NX', math.min(int(ARGV[i + 1]), at), ARGV[i])
    known = known + 1
  end
end
return known
