-- The start service of a node in the interop tests. It listens on the port in
-- the config, 0 for any, and ends the process together with the test's.
local skynet = require "skynet.manager"
local cluster = require "skynet.cluster"
local socket = require "skynet.socket"

skynet.start(function()
	local sdb = skynet.newservice "sdb"
	skynet.name(".sdb", sdb)
	cluster.register("sdb", sdb)
	cluster.register("driver", skynet.newservice "driver")
	local port = tonumber(skynet.getenv "port")
	local host, opened = skynet.call(skynet.queryservice "clusterd", "lua", "listen", "127.0.0.1", port)
	skynet.error(("Open %s:%d"):format(host, opened))
	skynet.fork(function()
		socket.readall(socket.stdin())
		skynet.abort()
	end)
end)
