package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"

	"github.com/retort-data/retort/schema"
)

// What deploy/kubernetes.yaml uses of Kubernetes' types; whatever else stands there is an error.
type (
	object struct {
		APIVersion string            `yaml:"apiVersion"`
		Kind       string            `yaml:"kind"`
		Metadata   objectMeta        `yaml:"metadata"`
		Data       map[string]string `yaml:"data"`
		Spec       struct {
			Replicas       int      `yaml:"replicas"`
			Selector       selector `yaml:"selector"`
			MaxUnavailable int      `yaml:"maxUnavailable"`
			Strategy       struct {
				Type          string `yaml:"type"`
				RollingUpdate struct {
					MaxUnavailable int `yaml:"maxUnavailable"`
					MaxSurge       int `yaml:"maxSurge"`
				} `yaml:"rollingUpdate"`
			} `yaml:"strategy"`
			Template struct {
				Metadata objectMeta `yaml:"metadata"`
				Spec     podSpec    `yaml:"spec"`
			} `yaml:"template"`
		} `yaml:"spec"`
	}
	selector struct {
		MatchLabels map[string]string `yaml:"matchLabels"`
	}
	objectMeta struct {
		Name        string            `yaml:"name"`
		Labels      map[string]string `yaml:"labels"`
		Annotations map[string]string `yaml:"annotations"`
	}
	podSpec struct {
		ServiceAccountName            string `yaml:"serviceAccountName"`
		AutomountServiceAccountToken  *bool  `yaml:"automountServiceAccountToken"`
		TerminationGracePeriodSeconds int    `yaml:"terminationGracePeriodSeconds"`
		SecurityContext               struct {
			RunAsNonRoot   bool `yaml:"runAsNonRoot"`
			RunAsUser      int  `yaml:"runAsUser"`
			FSGroup        int  `yaml:"fsGroup"`
			SeccompProfile struct {
				Type string `yaml:"type"`
			} `yaml:"seccompProfile"`
		} `yaml:"securityContext"`
		Containers []container `yaml:"containers"`
		Volumes    []struct {
			Name      string `yaml:"name"`
			ConfigMap *struct {
				Name string `yaml:"name"`
			} `yaml:"configMap"`
			EmptyDir *struct {
				SizeLimit string `yaml:"sizeLimit"`
			} `yaml:"emptyDir"`
		} `yaml:"volumes"`
	}
	container struct {
		Name    string   `yaml:"name"`
		Image   string   `yaml:"image"`
		Args    []string `yaml:"args"`
		EnvFrom []struct {
			SecretRef struct {
				Name string `yaml:"name"`
			} `yaml:"secretRef"`
		} `yaml:"envFrom"`
		Env []struct {
			Name  string `yaml:"name"`
			Value string `yaml:"value"`
		} `yaml:"env"`
		Ports []struct {
			Name          string `yaml:"name"`
			ContainerPort int    `yaml:"containerPort"`
		} `yaml:"ports"`
		LivenessProbe  probe `yaml:"livenessProbe"`
		ReadinessProbe probe `yaml:"readinessProbe"`
		Resources      struct {
			Requests map[string]string `yaml:"requests"`
			Limits   map[string]string `yaml:"limits"`
		} `yaml:"resources"`
		SecurityContext struct {
			AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
			ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
			Capabilities             struct {
				Drop []string `yaml:"drop"`
			} `yaml:"capabilities"`
		} `yaml:"securityContext"`
		VolumeMounts []struct {
			Name      string `yaml:"name"`
			MountPath string `yaml:"mountPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		} `yaml:"volumeMounts"`
	}
	probe struct {
		HTTPGet struct {
			Path string `yaml:"path"`
			Port string `yaml:"port"`
		} `yaml:"httpGet"`
		PeriodSeconds    int `yaml:"periodSeconds"`
		FailureThreshold int `yaml:"failureThreshold"`
	}
)

func deployed(t *testing.T) map[string]object {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", "deploy", "kubernetes.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]object{}
	for dec := yaml.NewDecoder(bytes.NewReader(body), yaml.Strict()); ; {
		var o object
		if err := dec.Decode(&o); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatalf("deploy/kubernetes.yaml: %v", err)
		}
		all[o.Kind] = o
	}
}

// workerOf parses a worker's command line as the program does.
func workerOf(t *testing.T, args []string) *CLI {
	t.Helper()
	var cli CLI
	k, err := kong.New(&cli, kong.Vars{"version": "test"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.Parse(args); err != nil || got.Command() != workerCommand {
		t.Fatalf("%q: %v", args, err)
	}
	return &cli
}

// The Deployment fits the program: its arguments parse, it is given time to drain, its probes are served, and it can do no more than it needs.
func TestDeployment(t *testing.T) {
	all := deployed(t)
	d := all["Deployment"]
	pod := d.Spec.Template.Spec
	if d.APIVersion != "apps/v1" || len(pod.Containers) != 1 {
		t.Fatalf("%+v", d)
	}
	c := pod.Containers[0]
	cli := workerOf(t, c.Args)
	if grace := time.Duration(pod.TerminationGracePeriodSeconds) * time.Second; cli.Worker.Grace+15*time.Second > grace {
		t.Errorf("--grace %s leaves too little of %s", cli.Worker.Grace, grace)
	}
	if cli.Worker.Log != "json" {
		t.Error("logs aren't JSON")
	}
	for name, value := range d.Spec.Selector.MatchLabels {
		if d.Spec.Template.Metadata.Labels[name] != value {
			t.Errorf("the selector wants %s=%s, which the pods lack", name, value)
		}
	}
	if p := c.LivenessProbe; p.HTTPGet.Path != "/healthz" || p.HTTPGet.Port != c.Ports[0].Name {
		t.Errorf("%+v", p)
	}
	if p := c.ReadinessProbe; p.HTTPGet.Path != "/readyz" || p.HTTPGet.Port != c.Ports[0].Name {
		t.Errorf("%+v", p)
	}
	s := c.SecurityContext
	if !pod.SecurityContext.RunAsNonRoot || pod.SecurityContext.RunAsUser == 0 || pod.SecurityContext.SeccompProfile.Type != "RuntimeDefault" || !s.ReadOnlyRootFilesystem ||
		s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL" || pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		t.Errorf("it may do more than it needs: %+v %+v", pod.SecurityContext, s)
	}
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
		if v.ConfigMap != nil && v.ConfigMap.Name != all["ConfigMap"].Metadata.Name {
			t.Errorf("no ConfigMap %s", v.ConfigMap.Name)
		}
	}
	writable := map[string]bool{}
	for _, m := range c.VolumeMounts {
		if !volumes[m.Name] {
			t.Errorf("no volume %s", m.Name)
		}
		writable[m.MountPath] = !m.ReadOnly
	}
	if !writable["/tmp"] {
		t.Error("/tmp can't be written on a read-only root")
	}
	if all["ServiceAccount"].Metadata.Name != pod.ServiceAccountName {
		t.Errorf("no ServiceAccount %s", pod.ServiceAccountName)
	}
	if b := all["PodDisruptionBudget"]; b.Spec.MaxUnavailable != 1 || b.Spec.Selector.MatchLabels["app"] != d.Spec.Template.Metadata.Labels["app"] {
		t.Errorf("%+v", b.Spec)
	}
	config := configOf(t, all["ConfigMap"])
	if !strings.HasSuffix(config.Worker.Metrics, ":9464") || c.Ports[0].ContainerPort != 9464 || d.Spec.Template.Metadata.Annotations["prometheus.io/port"] != "9464" {
		t.Errorf("metrics at %s, port %d", config.Worker.Metrics, c.Ports[0].ContainerPort)
	}
	if !writable[config.Worker.Scratch] {
		t.Errorf("worker.scratch %s isn't mounted to be written", config.Worker.Scratch)
	}
}

// configOf reads the ConfigMap's temporal.yaml as a worker does.
func configOf(t *testing.T, m object) *schema.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "temporal.yaml")
	if err := os.WriteFile(file, []byte(m.Data["temporal.yaml"]), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := schema.LoadConfig(file)
	if err != nil {
		t.Fatalf("the ConfigMap's temporal.yaml: %v", err)
	}
	return c
}

// The image is a static binary that runs as nobody, and its default arguments are a worker's.
func TestDockerfile(t *testing.T) {
	body, err := os.ReadFile(filepath.Join("..", "..", "deploy", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(body)
	last := text[strings.LastIndex(text, "\nFROM "):]
	for _, want := range []string{"distroless/static", ":nonroot", "USER 65532:65532", `ENTRYPOINT ["/retort"]`} {
		if !strings.Contains(last, want) {
			t.Errorf("the image lacks %s", want)
		}
	}
	module, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "CGO_ENABLED=0") || !strings.Contains(text, "FROM golang:1.26 ") || !strings.Contains(string(module), "\ngo 1.26") {
		t.Error("it isn't built static, with the Go of go.mod")
	}
	_, cmd, _ := strings.Cut(last, "\nCMD ")
	var args []string
	if err := yaml.Unmarshal([]byte(cmd), &args); err != nil {
		t.Fatal(err)
	}
	workerOf(t, args)
}
