-- Sends back what its client sends.
local skynet = require "skynet"
local socketdriver = require "skynet.socketdriver"

local gate, fd = ...
gate, fd = tonumber(gate), tonumber(fd)

skynet.register_protocol {
	name = "client",
	id = skynet.PTYPE_CLIENT,
	unpack = skynet.tostring,
	dispatch = function(_, _, packet)
		skynet.ignoreret()
		socketdriver.send(fd, string.pack(">s2", packet))
	end,
}

skynet.start(function()
	skynet.call(gate, "lua", "forward", fd)
end)
