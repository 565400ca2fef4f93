-- Does what a test tells it to, and gives back true and the results, or false
-- and the error.
local skynet = require "skynet"
local cluster = require "skynet.cluster"

local command = {
	call = cluster.call,
	send = cluster.send,
	query = cluster.query,
	proxy = cluster.proxy,
	register = cluster.register,
	unregister = cluster.unregister,
	launch = skynet.newservice,
}

function command.reload(text)
	local nodes = {}
	assert(load(text, "=nodes", "t", nodes))()
	cluster.reload(nodes)
end

function command.traced(...)
	skynet.trace()
	return cluster.call(...)
end

-- ask and tell speak to services of this node.
function command.ask(addr, ...)
	return skynet.call(addr, "lua", ...)
end

function command.tell(addr, ...)
	skynet.send(addr, "lua", ...)
end

skynet.start(function()
	skynet.dispatch("lua", function(_, _, name, ...)
		skynet.retpack(pcall(command[name], ...))
	end)
end)
