// Command retort generates synthetic datasets: it asks teacher models, checks what they answer, and publishes Parquet shards that
// training jobs read from S3. See `retort --help` and the README.
package main
