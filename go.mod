module github.com/skynetgo/skynet

go 1.26.0

require (
	github.com/google/uuid v1.6.0
	github.com/panjf2000/ants/v2 v2.12.1
	github.com/sirupsen/logrus v1.10.2
	github.com/tinylib/msgp v1.6.5
	github.com/yuin/gopher-lua v1.1.2
)

require (
	github.com/philhofer/fwd v1.2.0 // indirect
	go.uber.org/goleak v1.3.0 // indirect
	golang.org/x/sync v0.11.0 // indirect
	golang.org/x/sys v0.21.0 // indirect
)
