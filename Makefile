# `make help` lists the targets. All work on a bare machine with Python 3.11+, pip and make.
LAUNCH := python3 bootstrap/launch.py
BIN := $(or $(MCM_VENV),.venv)/bin
UV = $(or $(shell command -v uv),$(BIN)/../tools/bin/uv)
LOCK = $(UV) pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --overrides requirements/overrides.txt --quiet

# What reads the settings without a running instance (types, migrations) gets values that lead nowhere.
NOWHERE := DATABASE_URL=postgresql://check@127.0.0.1:1/check REDIS_URL=redis://127.0.0.1:1/0 \
	MCM_SECRET_KEY=check MCM_LOG_LEVEL=ERROR MCM_ENCRYPTION_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

.DEFAULT_GOAL := help
.PHONY: help run demo test faults soak bench check style imports types templates dead-code migrations translations token lock vendor messages clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

run: ## start MCM on this machine (MCM_HOME, MCM_PORT, MCM_ADMIN_PASSWORD, DATABASE_URL, REDIS_URL)
	@exec $(LAUNCH) manage.py run

demo: ## the same with three real Kubernetes clusters
	@exec $(LAUNCH) manage.py run --demo

token: ## an API token of the platform admin of the instance in MCM_HOME, as the last line
	@exec $(LAUNCH) manage.py create_token

test: ## all tests but the longest faults
	@$(LAUNCH) --dev bootstrap/missing.py
	@$(BIN)/python -m testbed build
	$(BIN)/python -m pytest -n 2 -m "not faults and not soak" $(ARGS)

faults: ## every fault of clusters and networks that must be survived, at full size (25 minutes at most)
	@$(LAUNCH) --dev bootstrap/missing.py
	@$(BIN)/python -m testbed build
	$(BIN)/python -m pytest tests/faults -v -n 0 --session-timeout=1500 $(ARGS)

soak: ## an hour of ordinary life: no false flag, no growth, nothing lost (SOAK_MINUTES=6)
	@$(LAUNCH) --dev bootstrap/missing.py
	@$(BIN)/python -m testbed build etcd kube-apiserver
	$(BIN)/python -m pytest tests/soak -v -n 0 $(ARGS)

bench: ## measure MCM beside its peers into bench/RESULTS.md (ROWS=a,c BENCH_SCALE=0.05 ROUNDS=1)
	@$(LAUNCH) --dev bootstrap/missing.py
	@$(BIN)/python -m testbed build etcd kube-apiserver
	$(BIN)/python -m bench

check: style imports types templates dead-code migrations translations ## everything but the tests

style: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

imports: dev
	$(NOWHERE) $(BIN)/lint-imports

types: dev
	$(NOWHERE) $(BIN)/mypy .

templates: dev
	git ls-files -z --cached --others --exclude-standard '*.html' | xargs -0r $(BIN)/djade --check --target-version 5.2
	$(BIN)/djlint --lint templates --quiet

dead-code: dev
	$(BIN)/vulture

migrations: dev
	$(NOWHERE) $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

translations: dev
	$(NOWHERE) $(BIN)/python bootstrap/translations.py check

messages: dev ## bring locale/ up to date with the texts, and compile it
	$(NOWHERE) $(BIN)/python bootstrap/translations.py update

lock: dev ## compile requirements/*.in into hashed locks
	$(LOCK) requirements/runtime.in -o requirements/runtime.txt
	$(LOCK) requirements/dev.in -c requirements/runtime.txt -o requirements/dev.txt

vendor: ## build static/vendor from frontend/package-lock.json
	cd frontend && npm ci && npm run build

clean: ## remove caches; the environment and the state folder stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache staticfiles
	find . -name __pycache__ -not -path './.venv/*' -not -path './frontend/*' -prune -exec rm -rf {} +

.PHONY: dev
dev:
	@$(LAUNCH) --dev
