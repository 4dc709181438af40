/* What the kernel says of a disk, in a copy of its folders that is made here. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "parser/disk.h"
#include "tests/support/dir.h"
#include "tests/support/run.h"

/* The disk of the test's folder is DEVICE below sysfs's devices/, and the flag is that of the folder FLAG_OF. */
static bool told(const char *device, const char *flag_of, const char *flag)
{
    struct stat info;
    char sysfs[600];
    snprintf(sysfs, sizeof sysfs, "%s/sys", dir);
    assert_int_equal(stat(dir, &info), 0);
    remove_tree(sysfs);
    make_dirs(path_of("%s/dev/block", sysfs));
    make_dirs(path_of("%s/devices/%s", sysfs, device));
    make_dirs(path_of("%s/devices/%s/queue", sysfs, flag_of));
    if (flag)
        write_file(path_of("%s/devices/%s/queue/rotational", sysfs, flag_of), flag, 2);
    assert_int_equal(symlink(path_of("../../devices/%s", device),
                             path_of("%s/dev/block/%u:%u", sysfs, major(info.st_dev), minor(info.st_dev))),
                     0);
    return disk_is_rotational(sysfs, dir);
}

static void test_flags(void **state)
{
    (void)state;
    static const char sda[] = "pci0000:00/0000:00:17.0/ata1/host0/block/sda";
    static const char part[] = "pci0000:00/0000:00:17.0/ata1/host0/block/sda/sda1";
    assert_true(told(sda, sda, "1\n"));
    assert_false(told(sda, sda, "0\n"));
    assert_true(told(part, sda, "1\n"));
    assert_false(told(part, sda, "0\n"));
    assert_false(told(part, sda, NULL));
    assert_true(told("virtual/block/dm-0", "virtual/block/dm-0", "1\n")); /* LUKS and LVM tell what is below */
    assert_false(told("virtual/block/loop0", "virtual/block/loop0", "1\n"));
    assert_false(told("pci0000:00/0000:00:02.0/virtio1/block/vda", "pci0000:00/0000:00:02.0/virtio1/block/vda", "1\n"));
    assert_false(
        told("pci0000:00/0000:00:02.0/virtio1/block/vda/vda1", "pci0000:00/0000:00:02.0/virtio1/block/vda", "1\n"));
}

static void test_nothing_known(void **state)
{
    (void)state;
    assert_false(disk_is_rotational(path_of("%s/none", dir), dir));
    assert_false(disk_is_rotational(DISK_SYSFS, path_of("%s/none", dir)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_flags, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_nothing_known, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
