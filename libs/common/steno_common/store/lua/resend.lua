-- Letters are due to be sent again.
-- KEYS letters replay   ARGV id...  ->  how many there are of these
local at, known = now(), 0
for _, id in ipairs(ARGV) do
  if redis.call('XRANGE', KEYS[1], id, id)[1] then
    redis.call('ZADD', KEYS[2], 'NX', at, id)
    known = known + 1
  end
end
return known
