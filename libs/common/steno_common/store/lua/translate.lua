-- A translation that came back joins the log, once for each final and language; one of no final in
-- particular unless the last of its language said the same.
-- ARGV 1 sid  2 event (number of the final; 0: of none)  3 field that names its place
--      4 epoch ('' any)  5 most bytes (translations of one session)  6 payload
-- ->  {1 stored | 0 it was there, its number}
--     | {-2 there would be too many | -5 no such session | -6 no such final, 0}
local held = redis.call('HMGET', META, 'epoch', 'translated', ARGV[3])

local function logged(number)
  local entry = redis.call('XRANGE', LOG, number .. '-0', number .. '-0')[1]
  return entry and cmsgpack.unpack(field(entry[2], 'p')) or {}
end

if not held[1] then return {-5, 0} end
if ARGV[4] ~= '' and ARGV[4] ~= held[1] then return {-6, 0} end
if ARGV[2] ~= '0' then
  if held[3] then return {0, int(held[3])} end
  if logged(ARGV[2]).type ~= 'final.v1' then return {-6, 0} end
elseif held[3] and logged(held[3]).text == cmsgpack.unpack(ARGV[6]).text then
  return {0, int(held[3])}
end
if int(held[2]) + #ARGV[6] > int(ARGV[5]) then return {-2, 0} end
local number = record(ARGV[6])
redis.call('HSET', META, ARGV[3], number)
redis.call('HINCRBY', META, 'translated', #ARGV[6])
-- The log may begin with this; nobody but its client keeps a session alive.
redis.call('PEXPIRE', LOG, redis.call('PTTL', META))
ring()
return {1, number}
