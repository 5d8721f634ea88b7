# Each goal does its own set-up: a virtual environment, pip packages, system packages.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= 2

.PHONY: demo test test-all lint format clean

demo: $(VENV)/demo.stamp
	$(BIN)/mcugrad demo

test: $(VENV)/test.stamp
	$(BIN)/pytest -n $(JOBS) -m "not slow"

test-all: $(VENV)/test.stamp
	$(BIN)/pytest -n $(JOBS)

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(C_FILES)
	tools/tidy.sh $(BIN)

format: $(VENV)/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(C_FILES)

clean:
	rm -rf $(VENV) build dist

C_FILES = $(shell git ls-files '*.c' '*.h' '*.cc')

# The stamps are remade when the packages asked for change.
$(VENV)/demo.stamp: pyproject.toml tools/setup.sh
	tools/setup.sh $(PYTHON) $(VENV) demo qemu-system-arm
	touch $@

$(VENV)/test.stamp: pyproject.toml tools/setup.sh
	tools/setup.sh $(PYTHON) $(VENV) demo,test,lint qemu-system-arm qemu-system-riscv32 gcc g++ dtc \
		arm-none-eabi-gcc riscv64-unknown-elf-gcc
	touch $@
