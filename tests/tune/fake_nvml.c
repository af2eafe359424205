/* A libnvidia-ml.so.1 that answers from a text file, which is read anew at each call.

The environment variable FAKE_NVML names the file. Its lines, with blanks between the words:

    gpu UUID TOTAL RESERVED USED PIDS       a GPU; MiB; its compute processes `1,2`, or `-`
    mig UUID TOTAL RESERVED USED PIDS       an instance in the GPU before it, which is then in MIG mode
    graphics UUID PIDS                      more processes on it
    mps UUID PIDS
    migmode UUID                            in MIG mode, even without instances
    fail FUNCTION UUID CODE                 the function answers with an error; UUID may be *

A handle is the place of a line in the file. Instances get the numbers (1, 0), (2, 0) ...

With -DOLD_DRIVER it lacks the functions that came with driver 510. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, UNINITIALIZED = 1, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7, MOST = 64 };

typedef struct {
    char uuid[96], pids[256], graphics[256], mps[256];
    unsigned long long total, reserved, used;
    int parent, mig_mode; /* parent: the handle of the GPU of an instance, else 0 */
} Device;

/* of each thread: the calls come from several at once */
static __thread Device devices[MOST];
static __thread char rules[MOST][3][96];
static __thread int count, rule_count;
static int started;

static Device *named(const char *uuid) {
    for (int i = 0; i < count; i++)
        if (!strcmp(devices[i].uuid, uuid)) return &devices[i];
    return NULL;
}

static void read_device(const char *line, int is_mig, int *gpu) {
    Device *device = &devices[count];
    memset(device, 0, sizeof *device);
    sscanf(line, "%*s %95s %llu %llu %llu %255s", device->uuid, &device->total, &device->reserved, &device->used,
           device->pids);
    count++;
    if (is_mig) {
        device->parent = *gpu;
        devices[*gpu - 1].mig_mode = 1;
    } else {
        *gpu = count;
    }
}

static void read_file(void) {
    char line[1024], word[32], uuid[96], text[256];
    int gpu = 0;
    const char *path = getenv("FAKE_NVML");
    FILE *file = path ? fopen(path, "r") : NULL;
    count = rule_count = 0;
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "%31s", word) != 1) continue;
        if (!strcmp(word, "gpu") || !strcmp(word, "mig")) {
            read_device(line, word[0] == 'm', &gpu);
        } else if (!strcmp(word, "fail")) {
            sscanf(line, "%*s %95s %95s %95s", rules[rule_count][0], rules[rule_count][1], rules[rule_count][2]);
            rule_count++;
        } else if (sscanf(line, "%*s %95s %255s", uuid, text) >= 1 && named(uuid)) {
            Device *device = named(uuid);
            if (!strcmp(word, "graphics")) strcpy(device->graphics, text);
            if (!strcmp(word, "mps")) strcpy(device->mps, text);
            if (!strcmp(word, "migmode")) device->mig_mode = 1;
        }
    }
    if (file) fclose(file);
}

/* What a function answers before it does anything; it reads the file, and finds the device of a handle. */
static int begin(const char *function, void *handle, Device **device) {
    const char *uuid = "*";
    read_file();
    if (device) {
        size_t place = (size_t)handle;
        if (!place || place > (size_t)count) return NOT_FOUND;
        *device = &devices[place - 1];
        uuid = (*device)->uuid;
    }
    for (int i = 0; i < rule_count; i++)
        if (!strcmp(rules[i][0], function) && (!strcmp(rules[i][1], "*") || !strcmp(rules[i][1], uuid)))
            return atoi(rules[i][2]);
    return started || !strcmp(function, "nvmlInitWithFlags") ? OK : UNINITIALIZED;
}

#define BEGIN(handle, device)                                      \
    do {                                                           \
        int error = begin(__func__, handle, device);               \
        if (error) return error;                                   \
    } while (0)

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    BEGIN(NULL, NULL);
    __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
    return OK;
}

int nvmlShutdown(void) {
    BEGIN(NULL, NULL);
    __atomic_sub_fetch(&started, 1, __ATOMIC_SEQ_CST);
    return OK;
}

const char *nvmlErrorString(int error) { return error == 999 ? "Unknown Error" : "an error of the stand-in"; }

int nvmlDeviceGetCount_v2(unsigned *number) {
    BEGIN(NULL, NULL);
    *number = 0;
    for (int i = 0; i < count; i++) *number += !devices[i].parent;
    return OK;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    BEGIN(NULL, NULL);
    for (int i = 0; i < count; i++)
        if (!devices[i].parent && !index--) {
            *handle = (void *)(size_t)(i + 1);
            Device *device;
            return begin(__func__, *handle, &device);
        }
    return NOT_FOUND;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, void **handle) {
    Device *device;
    BEGIN(NULL, NULL);
    device = named(uuid);
    if (!device) return NOT_FOUND;
    *handle = (void *)(size_t)(device - devices + 1);
    return begin(__func__, *handle, &device);
}

int nvmlDeviceGetUUID(void *handle, char *uuid, unsigned size) {
    Device *device;
    BEGIN(handle, &device);
    snprintf(uuid, size, "%s", device->uuid);
    return OK;
}

int nvmlDeviceGetName(void *handle, char *name, unsigned size) {
    Device *device;
    BEGIN(handle, &device);
    snprintf(name, size, "%s", device->parent ? "NVIDIA H100 MIG 1g.10gb" : "NVIDIA H100");
    return OK;
}

int nvmlDeviceGetMemoryInfo(void *handle, unsigned long long memory[3]) {
    Device *device;
    BEGIN(handle, &device);
    memory[0] = device->total << 20;
    memory[1] = (device->total - device->used) << 20;
    memory[2] = device->used << 20;
    return OK;
}

struct memory_v2 {
    unsigned version;
    unsigned long long total, reserved, free, used;
};

#ifndef OLD_DRIVER
int nvmlDeviceGetMemoryInfo_v2(void *handle, struct memory_v2 *memory) {
    Device *device;
    BEGIN(handle, &device);
    if (memory->version != 0x02000028) return 25; /* the version of the struct is part of the call */
    memory->total = device->total << 20;
    memory->reserved = device->reserved << 20;
    memory->used = device->used << 20;
    memory->free = memory->total - memory->reserved - memory->used;
    return OK;
}
#endif

struct process {
    unsigned pid;
    unsigned long long memory;
    unsigned gpu_instance, compute_instance;
};

static int processes(const char *text, unsigned *size, struct process *found) {
    unsigned pids[MOST], number = 0;
    char *end;
    for (const char *at = text; *at >= '0' && *at <= '9'; at = *end == ',' ? end + 1 : end)
        pids[number++] = (unsigned)strtoul(at, &end, 10);
    unsigned room = *size;
    *size = number;
    if (number > room || (number && !found)) return INSUFFICIENT_SIZE;
    for (unsigned i = 0; i < number; i++) found[i] = (struct process){pids[i], 1 << 20, 0, 0};
    return OK;
}

#define PROCESSES(function, list)                                                      \
    int function(void *handle, unsigned *size, struct process *found) {                \
        Device *device;                                                                \
        BEGIN(handle, &device);                                                        \
        return processes(device->list, size, found);                                   \
    }

PROCESSES(nvmlDeviceGetComputeRunningProcesses_v2, pids)
PROCESSES(nvmlDeviceGetGraphicsRunningProcesses_v2, graphics)
PROCESSES(nvmlDeviceGetMPSComputeRunningProcesses_v2, mps)
#ifndef OLD_DRIVER
PROCESSES(nvmlDeviceGetComputeRunningProcesses_v3, pids)
PROCESSES(nvmlDeviceGetGraphicsRunningProcesses_v3, graphics)
PROCESSES(nvmlDeviceGetMPSComputeRunningProcesses_v3, mps)
#endif

int nvmlDeviceGetMigMode(void *handle, unsigned *current, unsigned *pending) {
    Device *device;
    BEGIN(handle, &device);
    *current = *pending = (unsigned)device->mig_mode;
    return OK;
}

int nvmlDeviceGetMaxMigDeviceCount(void *handle, unsigned *number) {
    Device *device;
    BEGIN(handle, &device);
    *number = device->mig_mode ? 7 : 0;
    return OK;
}

int nvmlDeviceGetMigDeviceHandleByIndex(void *handle, unsigned index, void **instance) {
    Device *device;
    BEGIN(handle, &device);
    for (int i = 0; i < count; i++)
        if (devices[i].parent == (int)(size_t)handle && index-- == 1) { /* place 0 stays empty */
            *instance = (void *)(size_t)(i + 1);
            return OK;
        }
    return NOT_FOUND;
}

int nvmlDeviceGetGpuInstanceId(void *handle, unsigned *id) {
    Device *device;
    BEGIN(handle, &device);
    *id = (unsigned)((int)(size_t)handle - device->parent);
    return device->parent ? OK : NOT_SUPPORTED;
}

int nvmlDeviceGetComputeInstanceId(void *handle, unsigned *id) {
    Device *device;
    BEGIN(handle, &device);
    *id = 0;
    return device->parent ? OK : NOT_SUPPORTED;
}
