package schema

// Config is temporal.yaml: what a platform team declares once for all recipes.
type Config struct {
	Temporal TemporalConfig `yaml:"temporal" json:"temporal"`
	Store    StoreConfig    `yaml:"store" json:"store" required:"yes"`
	Allow    Allow          `yaml:"allow" json:"allow"`
	Teachers []Teacher      `yaml:"teachers" json:"teachers"`
	Worker   WorkerConfig   `yaml:"worker" json:"worker"`
	Signing  Signing        `yaml:"signing" json:"signing"`
	Notify   []Notify       `yaml:"notify" json:"notify,omitempty"`

	Places map[string]Place `yaml:"-" json:"-"`
	File   string           `yaml:"-" json:"-"`
	Dir    string           `yaml:"-" json:"-"` // absolute folder of File: what its relative paths are relative to
}

// At returns a fault at the place of path, or of its nearest parent that has one.
func (c *Config) At(path, what, mend string) Fault {
	return faultAt(c.File, c.Places, path, what, mend)
}

// Teacher returns the teacher of that name, or nil.
func (c *Config) Teacher(name string) *Teacher {
	for i := range c.Teachers {
		if c.Teachers[i].Name == name {
			return &c.Teachers[i]
		}
	}
	return nil
}

// TemporalConfig is where Temporal is; TEMPORAL_* environment variables win over it.
type TemporalConfig struct {
	Address   string `yaml:"address" json:"address"`
	Namespace string `yaml:"namespace" json:"namespace"`
	TaskQueue string `yaml:"task_queue" json:"task_queue"`

	Encryption Encryption `yaml:"encryption" json:"encryption,omitzero"`
}

// Encryption names where the keys are that payloads in Temporal are encrypted with; none: they are not.
type Encryption struct {
	KeyEnv  string `yaml:"key_env" json:"key_env,omitempty"`   // an environment variable: ID:KEY, the newest first
	KeyFile string `yaml:"key_file" json:"key_file,omitempty"` // or a file, relative to the configuration
}

// StoreConfig is the S3 bucket and prefix that datasets stand under. Credentials come from the SDK's chain.
type StoreConfig struct {
	Endpoint  string `yaml:"endpoint" json:"endpoint,omitempty"`
	Region    string `yaml:"region" json:"region"`
	Bucket    string `yaml:"bucket" json:"bucket" required:"yes"`
	Prefix    string `yaml:"prefix" json:"prefix"`
	PathStyle bool   `yaml:"path_style" json:"path_style,omitempty"`
	KMSKey    string `yaml:"kms_key" json:"kms_key,omitempty"`
}

// Teacher is a model behind an OpenAI-compatible endpoint.
type Teacher struct {
	Name      string   `yaml:"name" json:"name" required:"yes"`
	BaseURL   string   `yaml:"base_url" json:"-" required:"yes"`
	Model     string   `yaml:"model" json:"model" required:"yes"`
	Revision  string   `yaml:"revision" json:"revision,omitempty"`
	APIKeyEnv string   `yaml:"api_key_env" json:"-"`
	Terms     Terms    `yaml:"terms" json:"terms"`
	TrainedOn []string `yaml:"trained_on" json:"trained_on,omitempty"` // DATASET@N
	Limits    Limits   `yaml:"limits" json:"limits"`
	Price     *Price   `yaml:"price" json:"price,omitempty"` // nil: unknown
	Batch     bool     `yaml:"batch" json:"batch,omitempty"`
	UserAgent string   `yaml:"user_agent" json:"user_agent,omitempty"`
	Contact   string   `yaml:"contact" json:"contact,omitempty"` // sent as the From header
	Timeout   Duration `yaml:"timeout" json:"timeout,omitempty"` // of a whole answer; default 10m
}

// Terms are what the provider allows. Training must be "allowed" for a teacher to be asked.
type Terms struct {
	Training          string `yaml:"training" json:"training" enum:"allowed forbidden undeclared"` // allowed | forbidden; anything else is undeclared
	License           string `yaml:"license" json:"license,omitempty"`
	Source            string `yaml:"source" json:"source,omitempty"`
	ReadOn            string `yaml:"read_on" json:"read_on,omitempty"`
	StudentNamePrefix string `yaml:"student_name_prefix" json:"student_name_prefix,omitempty"`
	Notice            string `yaml:"notice" json:"notice,omitempty"`
	DerivativeLicense string `yaml:"derivative_license" json:"derivative_license,omitempty"` // that a student, or what is made of the answers, must carry
}

// Binding lists what the terms ask of a student and of who passes its data on: what, and the words. Empty where they ask nothing.
func (t Terms) Binding() (all [][2]string) {
	for _, b := range [][2]string{{"the student's name must begin with", t.StudentNamePrefix}, {"a notice must be given", t.Notice},
		{"what is derived from its answers must carry the licence", t.DerivativeLicense}} {
		if b[1] != "" {
			all = append(all, b)
		}
	}
	return all
}

// Limits of a teacher, over all workers; 0 is no limit, but Concurrency defaults to 8.
type Limits struct {
	RPM         int `yaml:"rpm" json:"rpm,omitempty" min:"0" max:"10000000"`
	TPM         int `yaml:"tpm" json:"tpm,omitempty" min:"0" max:"100000000000"`
	Concurrency int `yaml:"concurrency" json:"concurrency" min:"1" max:"10000"`

	BatchRequests int `yaml:"batch_requests" json:"batch_requests,omitempty" min:"1" max:"50000"` // of one provider batch (default 50000)
	BatchMB       int `yaml:"batch_mb" json:"batch_mb,omitempty" min:"1" max:"200"`               // of one batch's file (default 100)
}

// Price is in USD for a million tokens.
type Price struct {
	Input       float64  `yaml:"input" json:"input" min:"0" max:"100000" required:"yes"`
	Output      float64  `yaml:"output" json:"output" min:"0" max:"100000" required:"yes"`
	CachedInput *float64 `yaml:"cached_input" json:"cached_input,omitempty" min:"0" max:"100000"`
	Batch       float64  `yaml:"batch" json:"batch,omitempty" above:"0" max:"1"` // factor for batches, such as 0.5; 0 means 1
}

// WorkerConfig bounds one worker process.
type WorkerConfig struct {
	Pages   int    `yaml:"pages" json:"pages" min:"1" max:"1000"`           // pages asked at once (default 8)
	IndexMB int    `yaml:"index_mb" json:"index_mb" min:"16" max:"1048576"` // memory of the near-duplicate index (default 256)
	Metrics string `yaml:"metrics" json:"metrics,omitempty"`
	Scratch string `yaml:"scratch" json:"scratch,omitempty"` // folder for local runs and caches (default: the system's temporary folder)

	// Deployment opts in to Temporal's Worker Versioning: the name of the workers' deployment. Runs then stay with the build that began them.
	Deployment string `yaml:"deployment" json:"deployment,omitempty"`
}

// Signing names the environment variable of the ed25519 key (PEM, PKCS #8) that manifests are signed with.
type Signing struct {
	KeyEnv string `yaml:"key_env" json:"key_env,omitempty"`
}
