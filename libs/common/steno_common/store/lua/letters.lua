-- Dead letters of a shard; `size` says how many they are, what they take, how many had no room.

local function letter_bytes(entry) return #(field(entry[2], 'p') or '') end

local function drop_letter(letters, size, entry)
  redis.call('XDEL', letters, entry[1])
  redis.call('HINCRBY', size, 'letters', -1)
  redis.call('HINCRBY', size, 'bytes', -letter_bytes(entry))
end

-- Counts from the newest on; what is behind more than may be kept goes unseen.
local function count_letters(letters, size, most, most_bytes)
  local count, bytes, last = 0, 0, '+'
  repeat
    local page = redis.call('XREVRANGE', letters, last, '-', 'COUNT', 16)
    for _, entry in ipairs(page) do
      count, bytes, last = count + 1, bytes + letter_bytes(entry), '(' .. entry[1]
      if count > most or bytes > most_bytes then
        local older = redis.call('XTRIM', letters, 'MINID', entry[1])
        redis.call('HINCRBY', size, 'dropped', older)
        page = {}
        break
      end
    end
  until #page < 16
  redis.call('HSET', size, 'letters', count, 'bytes', bytes)
end

-- A new letter; where there are too many, or they take too much, the oldest go. It stays itself.
local function post_letter(letters, size, letter, most, most_bytes)
  redis.call('XADD', letters, '*', 'p', letter)
  redis.call('HINCRBY', size, 'letters', 1)
  redis.call('HINCRBY', size, 'bytes', #letter)
  -- Somebody who counts nothing has changed them: an older version, or a hand.
  if int(redis.call('HGET', size, 'letters')) ~= redis.call('XLEN', letters) then
    count_letters(letters, size, most, most_bytes)
  end
  local held = redis.call('HMGET', size, 'letters', 'bytes')
  local count, bytes = int(held[1]), int(held[2])
  while count > 1 and (count > most or bytes > most_bytes) do
    local oldest = redis.call('XRANGE', letters, '-', '+', 'COUNT', 1)[1]
    drop_letter(letters, size, oldest)
    redis.call('HINCRBY', size, 'dropped', 1)
    count, bytes = count - 1, bytes - letter_bytes(oldest)
  end
end
