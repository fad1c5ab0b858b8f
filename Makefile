# cryptounit - an HSM-side audit emitter for crypto units.
# `make` prints what there is. Everything built lies under $(BUILD).

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= cc
SAN ?=
V ?= 0
FUZZ_CFLAGS ?=
FUZZ_SECS ?= 300
VERSION := 0.1.0

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

# ---- flags ------------------------------------------------------------------

WARN := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wcast-qual \
	-Wwrite-strings -Wmissing-prototypes -Wstrict-prototypes \
	-Wimplicit-fallthrough -Wformat=2 -Wundef -Wvla -pedantic -Werror
HARDEN := -fstack-protector-strong -fPIC
ifeq ($(SAN),)
OPT := -O2 -g -D_FORTIFY_SOURCE=2
SANFLAGS :=
else
OPT := -O1 -g -fno-omit-frame-pointer
# SoftHSM's own leak is known by its module, which takes whole stacks: slow, so
# only where a token is at work (tests/run.sh)
export TOKEN_ASAN_OPTIONS ?= fast_unwind_on_malloc=0:malloc_context_size=12
export LSAN_OPTIONS ?= suppressions=$(CURDIR)/tests/lint/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS ?= print_stacktrace=1
SANFLAGS := -fsanitize=$(SAN) -fno-sanitize-recover=all
endif
VALIDATE := tools/validate $(addprefix tools/validate/,read across out corpus \
	schema explain)
ROOMS := proto ep11 ep11/host tke firmware-sim/unit firmware-sim/backend \
	firmware-sim/seal firmware-sim/channel firmware-sim/emitter \
	firmware-sim/endpoint tools/lib $(VALIDATE) \
	tools/tke tools/hsa tools/ep11 tools/ep11-bench
CPPFLAGS := -D_GNU_SOURCE -DHSA_VERSION='"$(VERSION)"' \
	$(addprefix -I,$(ROOMS)) -Ifirmware-sim -Itests/helper -isystem $(BUILD)/gen
CFLAGS := -std=c11 $(OPT) $(WARN) $(HARDEN) $(SANFLAGS) $(FUZZ_CFLAGS)
LDFLAGS := -Wl,-z,relro,-z,now $(SANFLAGS)

LIBS_HSA := -lprotobuf-c -lcrypto
LIBS_EMITTER := -lssl $(LIBS_HSA) -lpthread
LIBS_FW := -lp11 -lsqlite3 -lmicrohttpd -lcyaml -ljansson -lssl -lcrypto -lpthread -ldl
LIBS_HOST := -lprotobuf-c -lcrypto -lpthread -ldl
# of all programs that link the tools' archive, hsa alone needs librdkafka
LIBS_TOOLS := -lyajl -lz -lzstd -lcurl -lcyaml -ljansson -lssl -lcrypto -lpthread \
	-Wl,--push-state,--as-needed -lrdkafka -Wl,--pop-state

# ---- sources: one archive per room group ------------------------------------

src = $(sort $(foreach d,$(1),$(wildcard $(d)/*.c)))
obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

SCHEMAS := audit ep11 unit
GEN := $(SCHEMAS:%=$(BUILD)/gen/%.pb-c.h)
OBJ_PROTO := $(call obj,$(call src,proto)) \
	$(SCHEMAS:%=$(BUILD)/obj/gen/%.pb-c.o)
OBJ_TKE := $(call obj,$(call src,tke))
OBJ_EP11 := $(call obj,$(call src,ep11))
OBJ_HOST := $(call obj,$(call src,ep11/host))
OBJ_SEAL := $(call obj,$(call src,firmware-sim/seal firmware-sim/channel \
	firmware-sim/emitter))
OBJ_FW := $(call obj,$(call src,firmware-sim/unit firmware-sim/backend \
	firmware-sim/endpoint)) $(OBJ_SEAL)
OBJ_TOOLS := $(call obj,$(filter-out %/main.c,$(call src,tools/lib $(VALIDATE) tools/tke \
	tools/hsa tools/ep11)))
OBJ_BENCH := $(call obj,$(call src,tools/ep11-bench))
OBJ_HELPER := $(call obj,$(call src,tests/helper))

A_HSA := $(BUILD)/lib/libhsa.a
A_PROTO := $(BUILD)/obj/libproto.a
A_TKE := $(BUILD)/obj/libtke.a
A_EP11 := $(BUILD)/obj/libep11eng.a
A_HOST := $(BUILD)/obj/libep11host.a
A_FW := $(BUILD)/obj/libfw.a
A_TOOLS := $(BUILD)/obj/libtools.a
A_HELPER := $(BUILD)/obj/libhelper.a

PROGRAMS := $(BUILD)/bin/cryptounitd $(BUILD)/bin/tke $(BUILD)/bin/hsa \
	$(BUILD)/bin/ep11 $(BUILD)/bin/ep11-bench
SO := $(BUILD)/lib/libhsa.so.0
SO_HOST := $(BUILD)/lib/libep11.so.4
SO_UNIT := $(BUILD)/lib/libcryptounit.so.0
# what ep11-bench --lttng opens; only where LTTng-UST is installed
SO_LTTNG := $(if $(shell $(CC) -E -include lttng/tracepoint.h -x c /dev/null \
	>/dev/null 2>&1 && echo yes),$(BUILD)/lib/libep11-bench-lttng.so)

UNIT_TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard \
	tests/unit/test_*.c tests/kat/test_*.c))
INTEG_TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard \
	tests/integ/test_*.c))
CRASH_TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard \
	tests/crash/crash_*.c))
SCRIPT_TESTS := $(wildcard tests/integ/test_*.sh)
INTEROP_BIN := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard \
	tests/interop/*.c))
INTEROP_TESTS := $(wildcard tests/interop/test_*.sh)
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_BIN := $(addprefix $(BUILD)/tests/fuzz/,$(FUZZ))
FUZZ_REPLAY := $(FUZZ_BIN)
JOBS := $(shell nproc 2>/dev/null || echo 2)

# ---- what there is ----------------------------------------------------------

ifeq ($(V),0)
Q := @
say = @printf '  %-4s %s\n' $(1) $(patsubst $(BUILD)/%,%,$@)
else
Q :=
say = @:
endif

## help          this list
help:
	@echo "cryptounit $(VERSION): an HSM-side audit emitter for crypto units"
	@echo
	@sed -n 's/^## /  make /p' $(MAKEFILE_LIST)
	@echo
	@echo "  BUILD=DIR builds elsewhere; SAN=address,undefined and SAN=thread"
	@echo "  rebuild with sanitizers (each in its own BUILD); NO_APT=1 lists"
	@echo "  missing packages instead of installing them."

## all           programs, libraries
all: $(PROGRAMS) $(SO) $(SO_HOST) $(SO_UNIT) $(SO_LTTNG) $(A_HSA)

# ---- rules ------------------------------------------------------------------

$(BUILD)/gen/%.pb-c.c $(BUILD)/gen/%.pb-c.h: proto/%.proto
	@mkdir -p $(BUILD)/gen
	$(call say,GEN)
	$(Q)protoc-c --proto_path=proto --c_out=$(BUILD)/gen $<

$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c | $(GEN)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) -std=c11 $(OPT) $(HARDEN) $(SANFLAGS) -I$(BUILD)/gen -c -o $@ $<

$(BUILD)/obj/%.o: %.c | $(GEN)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# generated headers come as system headers, which dependency files leave out
$(call obj,$(call src,proto)): $(GEN)

define archive
	@mkdir -p $(@D)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^
endef
# programs link the format alone, so that hsa stays a second reading of it;
# who installs libhsa gets the sealer and the channel with it
$(A_PROTO): $(OBJ_PROTO)
	$(archive)
$(A_HSA): $(OBJ_PROTO) $(OBJ_SEAL)
	$(archive)
$(A_TKE): $(OBJ_TKE)
	$(archive)
$(A_EP11): $(OBJ_EP11)
	$(archive)
# what the library exports is said in ep11.h; the map says it once more
$(OBJ_HOST): HARDEN += -fvisibility=hidden
$(A_HOST): $(OBJ_HOST)
	$(archive)
$(A_FW): $(OBJ_FW)
	$(archive)
$(A_TOOLS): $(OBJ_TOOLS)
	$(archive)
$(A_HELPER): $(OBJ_HELPER)
	$(archive)

define link
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^
endef

$(BUILD)/bin/cryptounitd: $(BUILD)/obj/firmware-sim/main.o $(A_FW) $(A_TKE) \
    $(A_EP11) $(A_PROTO)
	$(link) $(LIBS_FW) $(LIBS_HSA)
$(BUILD)/bin/tke: $(BUILD)/obj/tools/tke/main.o $(A_TOOLS) $(A_TKE) $(A_PROTO)
	$(link) $(LIBS_TOOLS) $(LIBS_HSA)
$(BUILD)/bin/hsa: $(BUILD)/obj/tools/hsa/main.o $(A_TOOLS) $(A_TKE) $(A_PROTO)
	$(link) $(LIBS_TOOLS) $(LIBS_HSA)
$(BUILD)/bin/ep11-bench: $(OBJ_BENCH) $(A_PROTO) $(SO_UNIT)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(OBJ_BENCH) $(A_PROTO) -L$(BUILD)/lib \
	    -lcryptounit -Wl,-rpath,'$$ORIGIN/../lib' -ljansson -ldl $(LIBS_HSA)

# m_* come from the shared library, as any application's do; of the archives
# after it the way to a unit's socket (keystore verbs) and names
$(BUILD)/bin/ep11: $(BUILD)/obj/tools/ep11/main.o $(A_TOOLS) $(SO_HOST) \
    $(A_EP11) $(A_HOST) $(A_PROTO)
	$(link) -Wl,-rpath,'$$ORIGIN/../lib' $(LIBS_TOOLS) $(LIBS_HSA)

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(A_HELPER) $(A_TOOLS) $(A_FW) \
    $(A_TKE) $(A_EP11) $(A_HOST) $(A_PROTO)
	$(link) -lcmocka $(LIBS_TOOLS) $(LIBS_FW) $(LIBS_HSA)

$(FUZZ_BIN): $(BUILD)/tests/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o \
    $(BUILD)/obj/tests/fuzz/replay_main.o $(A_HELPER) $(A_TOOLS) $(A_FW) \
    $(A_TKE) $(A_EP11) $(A_HOST) $(A_PROTO)
	$(link) -lcmocka $(LIBS_TOOLS) $(LIBS_FW) $(LIBS_HSA)

# nodelete: a question to a name server may outlive the emitter that asked it
$(SO): $(OBJ_PROTO) $(OBJ_SEAL) proto/libhsa.map
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -shared -Wl,-soname,libhsa.so.0 -Wl,-z,defs \
	    -Wl,-z,nodelete \
	    -Wl,--version-script=proto/libhsa.map -o $@ $(filter %.o,$^) \
	    $(LIBS_EMITTER)
	ln -sf libhsa.so.0 $(BUILD)/lib/libhsa.so

$(SO_HOST): $(OBJ_HOST) ep11/host/libep11.map $(A_PROTO)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -shared -Wl,-soname,libep11.so.4 \
	    -Wl,--version-script=ep11/host/libep11.map -o $@ $(OBJ_HOST) \
	    $(A_PROTO) $(LIBS_HOST)
	ln -sf libep11.so.4 $(BUILD)/lib/libep11.so
$(SO_UNIT): $(BUILD)/obj/firmware-sim/cryptounit.o \
    firmware-sim/cryptounit.map $(A_FW) $(A_TKE) $(A_EP11) $(A_PROTO)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -shared -Wl,-soname,libcryptounit.so.0 -Wl,-z,defs \
	    -Wl,--version-script=firmware-sim/cryptounit.map -o $@ \
	    $(filter %.o %.a,$^) $(LIBS_FW) $(LIBS_HSA)
	$(Q)ln -sf $(@F) $(BUILD)/lib/libcryptounit.so

# LTTng's macros are not written for our warnings
$(BUILD)/lib/libep11-bench-lttng.so: tools/ep11-bench/eb_lttng_provider.inc \
    tools/ep11-bench/eb_lttng_tp.inc tools/ep11-bench/eb_lttng.h
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -std=gnu11 $(OPT) -fPIC -shared -Itools/ep11-bench -Iproto \
	    -x c $< -o $@ -llttng-ust -ldl

# for tests/integ/test_faults: makes the calls fail that write a log
$(BUILD)/lib/cu-fault.so: tests/preload/cu_fault.c
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(CPPFLAGS) -std=c11 -O2 $(WARN) -fPIC -shared $< -o $@ -ldl
$(BUILD)/tests/integ/test_faults: $(BUILD)/lib/cu-fault.so
# for tests/integ/test_selftest: a PKCS#11 module that computes wrongly
$(BUILD)/lib/cu-wrong.so: tests/preload/cu_wrong.c
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(CPPFLAGS) -std=c11 -O2 $(WARN) -fPIC \
	    -shared $< -o $@ -ldl
$(BUILD)/tests/integ/test_selftest: $(BUILD)/lib/cu-wrong.so

# for tests/integ/test_newlog_kill: kills before the n-th call
$(BUILD)/lib/cu-kill.so: tests/preload/cu_kill.c
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(CPPFLAGS) -std=c11 -O2 $(WARN) -fPIC -shared $< -o $@ -ldl
$(BUILD)/tests/integ/test_newlog_kill: $(BUILD)/lib/cu-kill.so

# ---- the newcomer's two commands ----------------------------------------------

## demo          a master-key ceremony on three units, to a verified report
demo: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	tools/demo/demo.sh $(BUILD)

## test          lint, unit, vectors, real tokens and daemons, corpora, kill -9
test: deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) all tests
	@$(MAKE) --no-print-directory lint
	@CU_BUILD=$(BUILD) tests/run.sh $(BUILD) $(UNIT_TESTS) $(INTEG_TESTS) \
	    $(SCRIPT_TESTS) $(FUZZ_REPLAY) $(CRASH_TESTS)

## deps          install missing Debian packages (NO_APT=1: list and stop)
deps:
	@tests/lint/deps.sh build
deps-test:
	@tests/lint/deps.sh build test

tests: $(UNIT_TESTS) $(INTEG_TESTS) $(FUZZ_BIN) $(CRASH_TESTS) $(INTEROP_BIN)

## check         unit, table and known-answer tests only
check: $(UNIT_TESTS)
	@CU_BUILD=$(BUILD) tests/run.sh $(BUILD) $(UNIT_TESTS)

## check-integ   SoftHSM, sockets, processes
check-integ: all $(INTEG_TESTS)
	@CU_BUILD=$(BUILD) tests/run.sh $(BUILD) $(INTEG_TESTS) $(SCRIPT_TESTS)

## check-crash   kill -9 at seeded points (KILLS=300 SEED=1)
check-crash: all $(CRASH_TESTS)
	@CU_BUILD=$(BUILD) tests/run.sh $(BUILD) $(CRASH_TESTS)

## check-reading 100,000 damaged events, judged by hsa and by a second reader
check-reading: all
	@CU_BUILD=$(BUILD) MUTATIONS=$${MUTATIONS:-100000} \
	    tests/run.sh $(BUILD) tests/integ/test_second_reading.sh

## check-long    200,000 EP11 calls against their events; 1,000 kills, of libhsa too
check-long: deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) all tests
	@CU_BUILD=$(BUILD) CALLS=200000 KILLS_EP11=300 KILLS_ALL=200 \
	    KILLS_EMITTER=200 EXPORT_RECORDS=1000000 \
	    tests/run.sh $(BUILD) $(BUILD)/tests/integ/test_ep11_events \
	    $(BUILD)/tests/integ/test_export_speed \
	    $(BUILD)/tests/crash/crash_ep11 $(BUILD)/tests/crash/crash_all \
	    $(BUILD)/tests/crash/crash_emitter
	@$(MAKE) --no-print-directory check-reading

## check-interop against the programs of others, from package registries
check-interop:
	@tests/lint/deps.sh build test interop
	@$(MAKE) --no-print-directory -j$(JOBS) all $(INTEROP_BIN) \
	    $(BUILD)/tests/kat/test_exports
	@CU_BUILD=$(BUILD) tests/run.sh $(BUILD) $(INTEROP_TESTS)

## bench-validate hsa validate over a million events; Ajv, python-jsonschema beside it
bench-validate:
	@tests/lint/deps.sh build interop
	@$(MAKE) --no-print-directory -j$(JOBS) $(BUILD)/bin/hsa
	@CU_BUILD=$(BUILD) tests/run.sh $(BUILD) tests/interop/bench_validate.sh

## check-kafka   a million events into Apache Kafka over 20 kills; three brokers
check-kafka:
	@tests/lint/deps.sh build test interop
	@$(MAKE) --no-print-directory -j$(JOBS) all $(INTEROP_BIN)
	@CU_BUILD=$(BUILD) KAFKA_EVENTS=1000000 KAFKA_KILLS=20 \
	    KAFKA_EVENTS3=200000 tests/run.sh $(BUILD) tests/interop/test_kafka.sh

## check-all     test, then again under ASan+UBSan and TSan, clang-tidy, cppcheck
check-all:
	@tests/lint/deps.sh build test lint
	$(MAKE) test
	$(MAKE) test SAN=address,undefined BUILD=$(BUILD)-asan KILLS=60
	$(MAKE) check-tsan SAN=thread BUILD=$(BUILD)-tsan
	$(MAKE) analyze

## check-tsan    the threaded parts under ThreadSanitizer (with SAN=thread)
TSAN_TESTS := $(foreach p,test_slog test_chan test_host test_bk_master \
	test_hsa_sink test_bk_ep11 test_ep11_trouble test_bk_call test_ep_serve test_cu_query \
	test_daemon test_libhsa_speed,\
	$(foreach t,$(UNIT_TESTS) $(INTEG_TESTS),\
	$(if $(findstring /$(p),$(t)),$(t))))
check-tsan: deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) all $(TSAN_TESTS)
	@CU_BUILD=$(BUILD) tests/run.sh $(BUILD) $(TSAN_TESTS)

$(BUILD)/bin/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(A_HELPER) \
    $(A_TOOLS) $(A_FW) $(A_TKE) $(A_EP11) $(A_HOST) $(A_PROTO)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ -lcmocka $(LIBS_TOOLS) \
	    $(LIBS_FW) $(LIBS_HSA)

## fuzz          every target with libFuzzer, FUZZ_SECS each (300)
fuzz:
	@tests/lint/deps.sh build test fuzz
	@tests/fuzz/run.sh $(BUILD)-fuzz $(FUZZ_SECS) $(FUZZ)

## lint          include edges, headers alone, parsers fuzzed, man pages, scripts
lint: $(GEN)
	@tests/lint/run.sh $(BUILD) \
	    "$(CC) $(filter-out -DHSA_VERSION%,$(CPPFLAGS)) -std=c11 $(WARN)" \
	    "$(HEADERS)"

## analyze       clang-format, clang-tidy and cppcheck
analyze: $(GEN)
	@tests/lint/deps.sh build lint
	@tests/lint/analyze.sh "$(filter-out -DHSA_VERSION%,$(CPPFLAGS))"

# ---- install --------------------------------------------------------------------

MAN := $(wildcard tools/man/*.[1-8])
# headers that only proto/ itself includes stay at home
HEADERS := $(filter-out %/hsa_codec_wire.h %/hsa_codec_event.h \
	%/hsa_codec_call.h %/hsa_codec_ks.h %/hsa_codec_unit.h \
	%/hsa_event_check.h %/hsa_field_type.h %/hsa_time.h,$(wildcard proto/hsa_*.h)) \
	firmware-sim/emitter/hsa_emitter.h
## install       programs, libhsa, headers, man pages (DESTDIR, PREFIX)
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin \
	    $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include/hsa
	install -m 755 $(BUILD)/bin/tke $(BUILD)/bin/hsa $(BUILD)/bin/ep11 \
	    $(BUILD)/bin/ep11-bench $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(BUILD)/bin/cryptounitd $(DESTDIR)$(PREFIX)/sbin
	install -m 644 $(SO) $(SO_HOST) $(SO_UNIT) $(SO_LTTNG) $(A_HSA) \
	    $(DESTDIR)$(PREFIX)/lib
	ln -sf libhsa.so.0 $(DESTDIR)$(PREFIX)/lib/libhsa.so
	ln -sf libep11.so.4 $(DESTDIR)$(PREFIX)/lib/libep11.so
	ln -sf libcryptounit.so.0 $(DESTDIR)$(PREFIX)/lib/libcryptounit.so
	install -m 644 ep11/host/ep11.h $(DESTDIR)$(PREFIX)/include
	install -m 644 $(HEADERS) firmware-sim/cryptounit.h proto/*.def \
	    proto/*.proto proto/FORMAT.md \
	    $(DESTDIR)$(PREFIX)/include/hsa
	sed -e 's,@PREFIX@,$(PREFIX),g' -e 's,@VERSION@,$(VERSION),g' \
	    proto/libhsa.pc.in >$(DESTDIR)$(PREFIX)/lib/pkgconfig/libhsa.pc
	for m in $(MAN); do s=$${m##*.}; \
	    install -d $(DESTDIR)$(PREFIX)/share/man/man$$s && \
	    install -m 644 $$m $(DESTDIR)$(PREFIX)/share/man/man$$s || exit 1; done
	for f in $$(tests/lint/api.sh firmware-sim/emitter/hsa_emitter.h); do \
	    echo ".so man3/libhsa.3" \
	    >$(DESTDIR)$(PREFIX)/share/man/man3/$$f.3 || exit 1; done

## clean         remove $(BUILD)
clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
.PHONY: help all clean demo test deps deps-test tests check check-integ \
	check-crash check-reading check-long check-interop check-kafka bench-validate check-all \
	check-tsan fuzz lint analyze \
	install
.SECONDARY:
