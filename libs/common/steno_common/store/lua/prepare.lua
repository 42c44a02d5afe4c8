-- A group for the notifiers; who reads first finds what came after this.
-- KEYS events   ARGV group  ->  1 made, 0 it was there
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '$', 'MKSTREAM')
if not made.err then return 1 end
if string.find(made.err, 'BUSYGROUP', 1, true) then return 0 end
return made
