package socket

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
)

// MutualTLS returns a Config.TLS for sides that both show a certificate. cert
// and key name PEM files with that of this side, and ca one with the
// certificates of who signs those of the others. They are looked at before each
// handshake and read again when one has changed. While they can not be used what
// was read before stays in use; log is told once. log must be safe from any
// goroutine.
func MutualTLS(cert, key, ca string, log func(text string)) func() (*tls.Config, error) {
	k := &certificates{paths: []string{cert, key, ca}, log: log}
	return k.config
}

// ServerTLS is MutualTLS for the accepting side of peers that show no
// certificate, like browsers.
func ServerTLS(cert, key string, log func(text string)) func() (*tls.Config, error) {
	k := &certificates{paths: []string{cert, key}, log: log}
	return k.config
}

// certificates are files in memory.
type certificates struct {
	paths []string // fileOptions, the last of which may be missing
	log   func(text string)

	mu      sync.Mutex
	stamps  [3]stamp
	read    *tls.Config // nil: never yet
	failure string      // that was logged
}

// stamp tells one content of a file from another.
type stamp struct{ modified, size int64 }

var fileOptions = [3]string{"cert", "key", "ca"}

func (k *certificates) config() (*tls.Config, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	stamps, err := k.look()
	if err == nil && k.read != nil && stamps == k.stamps {
		return k.read, nil
	}
	var fresh *tls.Config
	if err == nil {
		fresh, err = k.load()
	}
	switch {
	case err == nil:
		if k.read != nil {
			k.log("TLS: the certificates have changed")
		}
		k.read, k.stamps, k.failure = fresh, stamps, ""
	case k.read == nil:
		return nil, err
	case k.failure != err.Error():
		k.failure = err.Error()
		k.log("TLS: the certificates stay as they were: " + k.failure)
	}
	return k.read, nil
}

// look is before load, so that a change during load is found the next time.
func (k *certificates) look() (stamps [3]stamp, err error) {
	for i, path := range k.paths {
		if path == "" {
			return stamps, fmt.Errorf("%s: no file is named", fileOptions[i])
		}
		info, err := os.Stat(path)
		if err != nil {
			return stamps, fmt.Errorf("%s: %w", fileOptions[i], err)
		}
		stamps[i] = stamp{info.ModTime().UnixNano(), info.Size()}
	}
	return stamps, nil
}

func (k *certificates) load() (*tls.Config, error) {
	var pem [3][]byte
	for i, path := range k.paths {
		var err error
		if pem[i], err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("%s: %w", fileOptions[i], err)
		}
	}
	own, err := tls.X509KeyPair(pem[0], pem[1])
	if err != nil {
		return nil, fmt.Errorf("cert %s with key %s: %w", k.paths[0], k.paths[1], err)
	}
	tc := &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{own},
		// A session taken up again would not be verified against changed files.
		SessionTicketsDisabled: true,
		// Large messages want large records from the start.
		DynamicRecordSizingDisabled: true,
	}
	if len(k.paths) < len(pem) {
		return tc, nil
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(pem[2]) {
		return nil, fmt.Errorf("ca %s: %w", k.paths[2], errors.New("no certificate in it"))
	}
	tc.RootCAs, tc.ClientCAs, tc.ClientAuth = authorities, authorities, tls.RequireAndVerifyClientCert
	return tc, nil
}
