// Package services lists the services that every node knows.
package services

import (
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/clusteragent"
	"github.com/skynetgo/skynet/services/clusterd"
	"github.com/skynetgo/skynet/services/clusterproxy"
	"github.com/skynetgo/skynet/services/clustersender"
	"github.com/skynetgo/skynet/services/debugconsole"
	"github.com/skynetgo/skynet/services/gate"
	"github.com/skynetgo/skynet/services/launcher"
	"github.com/skynetgo/skynet/services/logger"
	"github.com/skynetgo/skynet/services/login"
	"github.com/skynetgo/skynet/services/servicemgr"
)

// All returns the definitions of the built-in services.
func All() []*service.Definition {
	return []*service.Definition{
		logger.Definition(),
		launcher.Definition(),
		servicemgr.Definition(),
		gate.Definition(),
		clusterd.Definition(),
		clusteragent.Definition(),
		clustersender.Definition(),
		clusterproxy.Definition(),
		login.UserdDefinition(),
		debugconsole.Definition(),
	}
}
