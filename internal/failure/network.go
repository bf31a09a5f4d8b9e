package failure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"syscall"
	"time"
)

// WhyUnreachable says in a few words why a connection failed, if it is one of the usual reasons: the error's own text may
// repeat what is in a URL.
func WhyUnreachable(err error) string {
	if lookup, ok := errors.AsType[*net.DNSError](err); ok {
		if lookup.IsNotFound {
			return ": its host is unknown"
		}
		return ": its host cannot be looked up"
	}
	for _, reason := range []struct {
		is    error
		words string
	}{
		{syscall.ECONNREFUSED, "connection refused"},
		{syscall.EHOSTUNREACH, "no route to its host"},
		{syscall.ENETUNREACH, "no route to its network"},
		{syscall.ENOENT, "no server is behind its socket"},
		{syscall.EACCES, "its socket is closed to this account"},
	} {
		if errors.Is(err, reason.is) {
			return ": " + reason.words
		}
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return ": its certificate is for another host"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		if time.Now().Before(invalid.Cert.NotBefore) {
			return ": its certificate is not valid yet, by the clock of this machine"
		}
		return ": its certificate has expired"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return ": its certificate is not trusted"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return ": it has no TLS"
	}
	return ""
}
