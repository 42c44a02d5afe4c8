-- ARGV sid conn to handed from...  ->  1 done, 0 not from this state, -4 superseded, -5 no such session
local held = redis.call('HMGET', META, 'conn', 'status')
if not held[1] then return -5 end
if held[1] ~= ARGV[2] then return -4 end
for i = 5, #ARGV do
  if held[2] == ARGV[i] then
    if ARGV[3] == 'reconnecting' then redis.call('HSET', META, 'before', held[2]) end
    hand(ARGV[4])
    record_status(ARGV[3])
    ring()
    return 1
  end
end
return 0
