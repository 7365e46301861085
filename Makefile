# Everything that builds, runs and checks Keyfob. `make` alone lists the targets.
#
# Needed beforehand: rustup with cargo, Node 20 or newer with npm, Python 3 with venv, GNU make, git.
# Everything else is installed once, pinned, into ignored folders: .tools/, node_modules/, target/.
# A target that names a file is its own stamp, so a second run neither installs nor rebuilds.

SHELL := /bin/bash
# --norc: under wrangler bash takes its standard input for a network login and would read the user's .bashrc.
.SHELLFLAGS := --norc -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Two cargo builds at once only wait for each other's locks.
.NOTPARALLEL:

WORKER_BUILD_VERSION := 0.8.7
# The glue generator has to be of exactly the version that the crate links.
WASM_BINDGEN_VERSION := $(shell awk '/^name = "wasm-bindgen"$$/ { getline; gsub(/[^0-9.]/, ""); print; exit }' Cargo.lock)
RUST_CHANNEL         := $(shell awk -F'"' '/^channel/ { print $$2 }' rust-toolchain.toml)
# Where only a `stable` is installed that happens to be this version, it will do: nothing is then downloaded.
export RUSTUP_TOOLCHAIN := $(shell rustup toolchain list | grep -q '^$(RUST_CHANNEL)' && echo $(RUST_CHANNEL) \
  || { rustup run stable rustc --version 2>/dev/null | grep -q '^rustc $(RUST_CHANNEL) ' && echo stable; } || echo $(RUST_CHANNEL))

BIN := $(CURDIR)/.tools/bin
NPM := $(CURDIR)/node_modules/.bin
# Our tools first: this is also how the pinned Node takes the place of an older one.
export PATH := $(BIN):$(NPM):$(PATH)
# With these three, worker-build downloads nothing (being on PATH is not enough for it).
export WASM_BINDGEN_BIN := $(BIN)/wasm-bindgen
export WASM_OPT_BIN     := $(NPM)/wasm-opt
export ESBUILD_BIN      := $(NPM)/esbuild
# A request runs to its end even when the client goes away: no write is cut in half.
export RUN_TO_COMPLETION := 1
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER := $(BIN)/wasm-bindgen-test-runner
# No usage statistics.
export WRANGLER_SEND_METRICS        := false
export WRANGLER_SEND_ERROR_REPORTS  := false
export WRANGLER_LOG_PATH            := $(CURDIR)/.wrangler/logs
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The browser of the tests; any Chromium or Chrome will do.
export CHROMIUM ?= $(or $(shell command -v chromium || command -v chromium-browser || command -v google-chrome),chromium)

RUST_TARGET  := .tools/rust-$(RUST_CHANNEL)-wasm32
WORKER_BUILD := .tools/worker-build-$(WORKER_BUILD_VERSION)
WASM_BINDGEN := .tools/wasm-bindgen-$(WASM_BINDGEN_VERSION)
NODE_MODULES := node_modules/.package-lock.json
VENV         := .tools/venv/installed
TOOLS        := $(RUST_TARGET) $(WORKER_BUILD) $(WASM_BINDGEN) $(NODE_MODULES)

# What the Worker and its assets are made from: files, and folders for the files that have been removed.
RUST_SOURCES  := $(shell find src providers Cargo.toml Cargo.lock build.rs 2>/dev/null || true)
ASSET_SOURCES := $(shell find ui providers src/catalog docs/openapi.json scripts/assets.mjs scripts/pages.mjs \
                   -not -path 'ui/generated*' 2>/dev/null || true)
# What is tested and deployed is the release build; `make dev` asks for the dev build, which takes a second.
PROFILE       ?= release
WASM          := build/.$(PROFILE)
ASSETS        := public/_headers

say = @printf '\033[1m== %s\033[0m\n' '$(1)'

##@ Everyday

help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

dev: tools ## Install, build, migrate and serve on this machine (PORT=8787)
	@PROFILE=dev node scripts/dev.mjs

test: fmt lint test-native test-wasm test-deploy test-e2e test-contract deploy-dry-run ## Everything that has to pass before a commit
	$(call say,All passed)

deploy: build ## Deploy to ENV=staging or ENV=production; may be repeated (DRY_RUN=1 changes nothing)
	@node scripts/deploy.mjs "$(ENV)" $(if $(DRY_RUN),--dry-run)

soak: build | $(RUST_TARGET) ## For hours: SCHEDULES=1000000 random schedules (goes on where it stopped), KILLS=200 kills
	@SCHEDULES=$(or $(SCHEDULES),1000000) KILLS=$(or $(KILLS),200) scripts/soak.sh

bench: build wrk ## Measure against the bare Worker and write docs/benchmarks.md
	@node --no-warnings scripts/bench.mjs

bench-scale: build wrk ## Measure at a thousand to a million connections (makes the databases once)
	@node --no-warnings scripts/bench-scale.mjs

bench-templates: build ## Measure 10,000 customers under one template
	@node --no-warnings scripts/bench-templates.mjs

soak-memory: build wrk ## One isolate at full load for DURATION=15 minutes: flat memory, no error
	@node --no-warnings scripts/soak-memory.mjs

##@ Checks, one by one

fmt: | $(RUST_TARGET) ## Is the Rust code formatted?
	$(call say,Format)
	@cargo fmt --check

lint: $(NODE_MODULES) | $(RUST_TARGET) ## Clippy, native and wasm32: a warning is an error; the types of the pages
	$(call say,Types of the pages)
	@node scripts/pages.mjs check
	$(call say,Lints: native)
	@cargo clippy --locked --all-targets -- -D warnings
	$(call say,Lints: wasm32)
	@cargo clippy --locked --target wasm32-unknown-unknown --lib -- -D warnings

test-native: databases $(VENV) | $(RUST_TARGET) ## Unit and API tests, natively, and SCHEDULES=10000 random schedules
	$(call say,Native tests)
	@SCHEDULES=$(or $(SCHEDULES),10000) cargo test --locked

test-wasm: | $(TOOLS) ## The tests that have to run in wasm, under Node
	$(call say,Tests in wasm)
	@NODE_OPTIONS='--require $(CURDIR)/tests/platform-modules.cjs' \
	  cargo test --locked --target wasm32-unknown-unknown --test wasm

test-e2e: build chromium databases ## End-to-end tests in real workerd with D1 and KV
	$(call say,End-to-end tests)
	@node --test --test-reporter=spec --test-concurrency=1 'tests/e2e/**/*.test.mjs'

test-contract: build $(VENV) ## The OpenAPI document against the running Worker (schemathesis)
	$(call say,Contract tests)
	@node tests/e2e/contract.mjs

test-deploy: $(NODE_MODULES) ## `make deploy` against a wrangler that only plays one
	$(call say,Tests of the deployment)
	@node --test --test-reporter=spec 'tests/deploy/**/*.test.mjs'

deploy-dry-run: build ## What would be deployed, for each environment; nothing is
	$(call say,Deployment: dry runs)
	@node scripts/deploy-dry-run.mjs

##@ Parts

tools: $(TOOLS) ## Install the pinned tools

build: tools compile ## Build the Worker and its assets

# This is what wrangler runs before it serves or deploys, and at each edit: so it installs nothing.
compile: $(WASM) $(ASSETS)

openapi: | $(RUST_TARGET) ## Write docs/openapi.json from the Rust types
	$(call say,Generating docs/openapi.json)
	@mkdir -p target docs
	@cargo run --locked --quiet --example openapi > target/openapi.json
	@mv target/openapi.json docs/openapi.json

record-release: | $(RUST_TARGET) ## At a release: record what it asks of the database, for the migrations to come
	$(call say,Recording tests/golden/release.json)
	@cargo test --locked --quiet --test api -- --ignored --exact compatible::record_this_release

providers-doc: | $(RUST_TARGET) ## Write docs/providers.md from the provider files
	$(call say,Generating docs/providers.md)
	@mkdir -p target
	@cargo run --locked --quiet --example providers > target/providers.md
	@mv target/providers.md docs/providers.md

secrets: $(NODE_MODULES) ## Print a new master key ring and a new root key
	@node scripts/keys.mjs

clean: ## Remove what was built (not the tools, not the local database)
	rm -rf build public target

.PHONY: help dev test deploy bench bench-scale bench-templates soak soak-memory fmt lint test-native test-wasm test-deploy test-e2e test-contract deploy-dry-run \
        tools build compile openapi providers-doc record-release secrets clean chromium install-chromium databases \
        install-databases wrk install-wrk

# Builds ---------------------------------------------------------------------------------------------

$(WASM): $(RUST_SOURCES)
	$(call say,Building the Worker ($(PROFILE)))
	@rm -f build/.dev build/.release
	@worker-build --$(PROFILE)
	@if [ $(PROFILE) = release ]; then node scripts/strip.mjs build/index_bg.wasm; fi
	@cp src/platform/entry.js build/entry.js
	@touch $@

# The build of the Worker makes what is shown of providers.
$(ASSETS): $(ASSET_SOURCES) $(NODE_MODULES) | $(WASM)
	$(call say,Assembling the assets)
	@node scripts/assets.mjs
	@touch $@

# Installations --------------------------------------------------------------------------------------

# rust-toolchain.toml alone does not install anything where RUSTUP_AUTO_INSTALL=0 is set.
$(RUST_TARGET): rust-toolchain.toml
	$(call say,Rust $(RUST_CHANNEL) with rustfmt$(comma) clippy and the wasm32 target)
	@rustup run $(RUSTUP_TOOLCHAIN) rustc --version 2>/dev/null || rustup toolchain install $(RUSTUP_TOOLCHAIN) --profile minimal
	@rustup component add --toolchain $(RUSTUP_TOOLCHAIN) rustfmt clippy
	@rustup target add --toolchain $(RUSTUP_TOOLCHAIN) wasm32-unknown-unknown
	@mkdir -p .tools && touch $@

$(WORKER_BUILD): | $(RUST_TARGET)
	$(call say,worker-build $(WORKER_BUILD_VERSION): compiled once$(comma) takes some minutes)
	@cargo install worker-build --version $(WORKER_BUILD_VERSION) --locked --quiet --root .tools
	@touch $@

# Without --locked: one of the versions it was locked to has been withdrawn.
$(WASM_BINDGEN): | $(RUST_TARGET)
	$(call say,wasm-bindgen $(WASM_BINDGEN_VERSION): compiled once$(comma) takes some minutes)
	@cargo install wasm-bindgen-cli --version $(WASM_BINDGEN_VERSION) --quiet --root .tools
	@touch $@

$(NODE_MODULES): package.json package-lock.json .npmrc
	$(call say,Node packages)
	@npm ci --loglevel=error
	@touch $@

$(VENV): tests/requirements.txt
	$(call say,schemathesis and moto)
	@python3 -m venv .tools/venv
	@.tools/venv/bin/pip install --quiet --requirement $<
	@touch $@

# No npm package has a browser that may be had without a download of its own: the system's it is.
chromium:
	@command -v "$(CHROMIUM)" >/dev/null || $(MAKE) --no-print-directory install-chromium

install-chromium:
	$(call say,Chromium$(comma) for the tests in a browser)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else \
	  echo "Install Chromium (on Debian: apt-get install chromium), or set CHROMIUM to a Chromium or Chrome." >&2; exit 1; \
	fi

# Real counterparts for the tests of database connections. The tests start them themselves, each with its own data.
databases:
	@test -n "$$(command -v initdb || ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null)" \
	  && PATH="$$PATH:/usr/sbin" command -v mariadbd >/dev/null && command -v openssl >/dev/null \
	  || $(MAKE) --no-print-directory install-databases

install-databases:
	$(call say,PostgreSQL and MariaDB$(comma) for the tests of database connections)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql mariadb-server openssl >/dev/null; \
	else \
	  echo "Install PostgreSQL, MariaDB and OpenSSL (on Debian: apt-get install postgresql mariadb-server openssl)." >&2; exit 1; \
	fi

# The load of the benches and of the soak.
wrk:
	@command -v wrk >/dev/null || $(MAKE) --no-print-directory install-wrk

install-wrk:
	$(call say,wrk$(comma) which makes the load)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk >/dev/null; \
	else \
	  echo "Install wrk (on Debian: apt-get install wrk)." >&2; exit 1; \
	fi

comma := ,
