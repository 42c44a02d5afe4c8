local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function int(value) return tonumber(value or '0') or 0 end
-- A field of a stream's entry.
local function field(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
end
-- Tokens grow with time too: one given before Redis lost its data is never given again.
local function newer(token) return math.max(int(token) + 1, now()) end
