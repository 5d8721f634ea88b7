/* A device of Spike that nothing can address: it counts how often each instruction runs between
 * marks.
 *
 * Arguments: out=FILE, then at=FIRST-LAST for every range of addresses, in hexadecimal, the last
 * one included, and core=NUMBER of the core that is counted, else the first. Jumping into a range
 * is a mark; then what ran since the mark before is written:
 *
 *     mark ADDRESS
 *     ADDRESS 1 RUNS TAKEN     for every instruction, TAKEN of its runs jumped elsewhere
 */
#include <array>
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <riscv/abstract_device.h>
#include <riscv/mmu.h>
#include <riscv/sim.h>
#include <string>

namespace {

class counter final : public memtracer_t {
  public:
    explicit counter(const std::vector<std::string> &arguments) : pages(PAGES) {
        for (const std::string &argument : arguments) {
            if (argument.rfind("out=", 0) == 0) {
                out = std::fopen(argument.c_str() + 4, "w");
            } else if (argument.rfind("at=", 0) == 0) {
                size_t first_digits = 0;
                const uint64_t first = std::stoull(argument.substr(3), &first_digits, 16);
                const uint64_t last = std::stoull(argument.substr(4 + first_digits), nullptr, 16);
                for (uint64_t address = first; address <= last; address += GRAIN) {
                    at(address).is_mark = true;
                }
            }
        }
        if (out == nullptr) {
            throw std::runtime_error("counts: cannot write to out=");
        }
    }

    bool interested_in_range(uint64_t, uint64_t, access_type type) override {
        return type == FETCH;
    }

    /* Spike's fetches tell where the instruction ends, not how long it is. */
    void trace(uint64_t address, size_t end, access_type) override {
        instruction &now = at(address);
        if (address != expected) {
            if (latest != nullptr) {
                latest->taken++;
            }
            if (now.is_mark) {
                write();
                mark = address;
            }
        }
        if (now.runs++ == 0) {
            now.address = address;
            ran.push_back(&now);
        }
        latest = &now;
        expected = end;
    }

    void clean_invalidate(uint64_t, size_t, bool, bool) override {}

  private:
    static constexpr uint64_t GRAIN = 2, PAGE = 4096, PAGES = (uint64_t(1) << 32) / PAGE;

    struct instruction {
        uint64_t address, runs, taken;
        bool is_mark;
    };
    using page = std::array<instruction, PAGE / GRAIN>;

    instruction &at(uint64_t address) {
        std::unique_ptr<page> &found = pages.at(address / PAGE);
        if (!found) {
            found = std::make_unique<page>();
        }
        return (*found)[address % PAGE / GRAIN];
    }

    void write() {
        if (mark != 0) {
            std::fprintf(out, "mark %" PRIx64 "\n", mark);
        }
        for (instruction *i : ran) {
            if (mark != 0) {
                std::fprintf(out, "%" PRIx64 " 1 %" PRIu64 " %" PRIu64 "\n", i->address, i->runs,
                             i->taken);
            }
            i->runs = i->taken = 0;
        }
        ran.clear();
        std::fflush(out);
    }

    std::FILE *out = nullptr;
    std::vector<std::unique_ptr<page>> pages;
    std::vector<instruction *> ran; /* since the mark */
    instruction *latest = nullptr;
    uint64_t mark = 0, expected = 0;
};

class counts_t : public abstract_device_t {
  public:
    bool load(reg_t, size_t, uint8_t *) override {
        return false;
    }
    bool store(reg_t, size_t, const uint8_t *) override {
        return false;
    }
    reg_t size() override {
        return 1;
    }
};

counts_t *attach(const void *, const sim_t *simulator, reg_t *,
                 const std::vector<std::string> &arguments) {
    size_t core = 0;
    for (const std::string &argument : arguments) {
        if (argument.rfind("core=", 0) == 0) {
            core = std::stoul(argument.substr(5));
        }
    }
    simulator->get_harts().at(core)->get_mmu()->register_memtracer(new counter(arguments));
    return nullptr;
}

std::string nothing(const sim_t *, const std::vector<std::string> &) {
    return "";
}

} // namespace

REGISTER_DEVICE(counts, attach, nothing)
