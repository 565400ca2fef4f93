-- Gives each client of a gate an agent of its own.
local skynet = require "skynet"

local gate

skynet.start(function()
	skynet.dispatch("lua", function(session, _, name, event, fd)
		if name == "socket" then
			if event == "open" then
				skynet.newservice("agent", gate, fd)
			end
			return
		end
		local host, port = skynet.call(gate, "lua", "open", {
			address = "127.0.0.1", port = 0, maxclient = 65536, nodelay = true, watchdog = skynet.self(),
		})
		skynet.retpack(host .. ":" .. port)
	end)
	gate = skynet.newservice "gate"
end)
