package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

// healthPath can't hide a bucket: their names have 3 characters and more.
const healthPath = "/_"

// startS3 serves Dir/s3 over the S3 protocol: a bucket is a directory there, an
// object a plain file, its ETag and headers extended attributes of the file.
func (s *Stack) startS3(ctx context.Context, o Options, port int) error {
	lock, err := lockFile(filepath.Join(o.Dir, "s3.lock"))
	if err != nil {
		return err
	}
	s.onStop(lock.Close)
	access, secret, err := accountOf(o)
	if err != nil {
		return err
	}
	home, err := os.Getwd()
	if err != nil {
		return err
	}
	backend, err := openFiles(o)
	if err != nil {
		return fmt.Errorf("s3: %w", err)
	}
	s.onStop(func() error { return os.Chdir(home) })

	gateway, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	conns := &connections{}
	go func() {
		defer close(ended)
		err := embedgw.RunVersityGW(gateway, backend, &embedgw.Config{
			RootUserAccess: access, RootUserSecret: secret, Region: Region,
			IAMService:     auth.NewIAMServiceSingle(auth.Account{Access: access, Secret: secret, Role: auth.RoleAdmin}),
			Ports:          []string{local(port)},
			MaxConnections: 20_000, MaxRequests: 10_000, MultipartMaxParts: 10_000,
			KeepAlive: true, Quiet: true,
			S3Options: append((&counter{}).options(), conns.options()...),
		})
		if err != nil {
			s.failed <- fmt.Errorf("s3 gateway: %w", err)
		}
	}()
	s.onStop(func() error {
		stop()
		conns.closeUntil(ended)
		return nil
	})

	s.S3Endpoint, s.Region = "http://"+local(port), Region
	s.AccessKey, s.SecretKey = access, secret
	s.Buckets, s.Bucket = o.Buckets, o.Buckets[0]
	if err := awaitHTTP(ctx, s.S3Endpoint+healthPath, ended); err != nil {
		return fmt.Errorf("s3 gateway on %s: %w", s.S3Endpoint, errors.Join(err, s.failure()))
	}
	return s.createBuckets(ctx)
}

// openFiles opens the plain files behind the gateway. It changes the working
// directory of the process, so every path has been made absolute before.
func openFiles(o Options) (*posix.Posix, error) {
	root := filepath.Join(o.Dir, "s3")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, err
	}
	opts := posix.PosixOpts{
		// The limit of S3 itself; the zero value refuses every copy.
		CopyObjectThreshold: 5 << 30,
		Concurrency:         512,
	}
	if err := attributesWork(root); err == nil {
		return posix.New(root, meta.XattrMeta{}, opts)
	}
	// A file system without extended attributes: keep them in a tree beside.
	beside := filepath.Join(o.Dir, "s3-attributes")
	if err := os.MkdirAll(beside, 0o755); err != nil {
		return nil, err
	}
	sidecar, err := meta.NewSideCar(beside)
	if err != nil {
		return nil, err
	}
	opts.SideCarDir = beside
	return posix.New(root, sidecar, opts)
}

// attributesWork writes and reads an attribute; asking alone isn't proof.
func attributesWork(root string) error {
	if err := (meta.XattrMeta{}).Test(root); err != nil {
		return err
	}
	probe, err := os.CreateTemp(root, ".probe-")
	if err != nil {
		return err
	}
	defer os.Remove(probe.Name())
	defer probe.Close()
	return meta.XattrMeta{}.StoreAttribute(probe, root, filepath.Base(probe.Name()), "probe", []byte("1"))
}

// S3Client returns a client for the gateway, path style, with the account of s.
func (s *Stack) S3Client() *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(s.S3Endpoint),
		Region:       s.Region,
		Credentials:  credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
		UsePathStyle: true,
	})
}

func (s *Stack) createBuckets(ctx context.Context) error {
	client := s.S3Client()
	for _, b := range s.Buckets {
		if _, err := os.Stat(filepath.Join(s.Dir, "s3", b)); err == nil {
			continue
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		_, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(b)})
		var owned *types.BucketAlreadyOwnedByYou
		if err != nil && !errors.As(err, &owned) {
			return fmt.Errorf("create bucket %s: %w", b, err)
		}
	}
	return nil
}

// failure returns what a service has reported, if it has.
func (s *Stack) failure() error {
	select {
	case err := <-s.failed:
		return err
	default:
		return nil
	}
}
