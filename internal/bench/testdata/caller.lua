-- Who calls and sends when it is told to.
local skynet = require "skynet"

local command = {}

function command.sends(count, to)
	for i = 1, count do
		skynet.send(to, "lua", "COUNT", i)
	end
end

-- calls has each coroutine call one of the peers, again and again.
function command.calls(coroutines, each, peers)
	local left, co = coroutines, coroutine.running()
	for k = 1, coroutines do
		local peer = peers[(k - 1) % #peers + 1]
		skynet.fork(function()
			for i = 1, each do
				skynet.call(peer, "lua", "ADD", i)
			end
			left = left - 1
			if left == 0 then
				skynet.wakeup(co)
			end
		end)
	end
	skynet.wait(co)
end

skynet.start(function()
	skynet.dispatch("lua", function(_, _, name, ...)
		skynet.retpack(command[name](...))
	end)
end)
