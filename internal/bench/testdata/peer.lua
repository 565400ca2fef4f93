-- Who is called and sent to.
local skynet = require "skynet"

local handled = 0

local command = {
	COUNT = function(n) handled = handled + n end,
	SPIN = function() skynet.send(skynet.self(), "lua", "SPIN") end,
	ADD = function(n) return n + 1 end,
	ECHO = function(text) return text end,
	SINK = function() end,
}

skynet.start(function()
	skynet.dispatch("lua", function(session, _, name, ...)
		if session == 0 then
			command[name](...)
		else
			skynet.retpack(command[name](...))
		end
	end)
end)
