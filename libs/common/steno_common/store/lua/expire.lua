-- Dead letters that are too old go, some at a time.
-- KEYS letters size   ARGV ms that they are kept, most at a time  ->  how many went
local before = '(' .. math.max(now() - ARGV[1], 0) .. '-0'
for gone = 0, ARGV[2] - 1 do
  local oldest = redis.call('XRANGE', KEYS[1], '-', before, 'COUNT', 1)[1]
  if not oldest then return gone end
  drop_letter(KEYS[1], KEYS[2], oldest)
end
return int(ARGV[2])
