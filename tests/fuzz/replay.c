/* Feeds a fuzz target every file of the folders and every file that the command line names. */
#include <dirent.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/support/run.h"

static unsigned replayed;

static void replay_file(const char *path)
{
    size_t size;
    char *text = read_file(path, &size);
    if (!text)
        return; /* a folder */
    /* exactly as many bytes, so that a sanitizer or valgrind sees any read beyond them */
    uint8_t *bytes = malloc(size ? size : 1);
    must(bytes != NULL, "memory");
    memcpy(bytes, text, size);
    free(text);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    replayed++;
}

int main(int argc, char **argv)
{
    LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (!folder) {
            replay_file(argv[i]);
            continue;
        }
        const struct dirent *entry;
        while ((entry = readdir(folder)))
            if (entry->d_name[0] != '.')
                replay_file(path_of("%s/%s", argv[i], entry->d_name));
        closedir(folder);
    }
    must(replayed > 0, "there is something to replay");
    fprintf(stderr, "%u inputs replayed\n", replayed);
    return 0;
}
