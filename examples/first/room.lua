-- The room of main.go as a service of Skynet.
local skynet = require "skynet"

local size = tonumber(...)
local players, count = {}, 0
local command = {}

function command.JOIN(name)
	if count == size then
		error "the room is full"
	end
	if not players[name] then
		players[name] = true
		count = count + 1
	end
	return count
end

function command.LEAVE(name)
	if players[name] then
		players[name] = nil
		count = count - 1
	end
end

skynet.start(function()
	skynet.dispatch("lua", function(_, _, cmd, ...)
		skynet.retpack(command[cmd](...))
	end)
end)
