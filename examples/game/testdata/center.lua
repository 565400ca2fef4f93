-- The node center on real Skynet: start it with this as its start service. It
-- keeps players in memory; a real one would ask a database.
local skynet = require "skynet"
local cluster = require "skynet.cluster"

local players = {}
local command = {}

function command.LOAD(name)
	return players[name] or { name = name, score = 0, n = 0, x = 0, y = 0 }
end

-- Of two states of a player the later moves count, and the higher score.
function command.SAVE(list)
	for _, p in ipairs(list) do
		local old = players[p.name] or p
		local newer = p.n >= old.n and p or old
		newer.score = math.max(p.score, old.score)
		players[p.name] = newer
	end
end

function command.TOP(n)
	local list = {}
	for _, p in pairs(players) do
		list[#list + 1] = p
	end
	table.sort(list, function(a, b)
		if a.score ~= b.score then
			return a.score > b.score
		end
		return a.name < b.name
	end)
	return { table.unpack(list, 1, math.min(n, #list)) }
end

skynet.start(function()
	skynet.dispatch("lua", function(_, _, name, ...)
		skynet.retpack(command[name](...))
	end)
	cluster.register("center", skynet.self())
	cluster.open("center")
	skynet.error("center is open")
end)
