/* Plain data: times, files, users, the machine, and the options of calls. Included by uv.h. */

#ifndef UV_DATA_H
#define UV_DATA_H

/* ---- Time ---- */

typedef struct {
  long tv_sec;
  long tv_nsec;
} uv_timespec_t;

typedef struct {
  int64_t tv_sec;
  int32_t tv_nsec;
} uv_timespec64_t;

typedef struct {
  long tv_sec;
  long tv_usec;
} uv_timeval_t;

typedef struct {
  int64_t tv_sec;
  int32_t tv_usec;
} uv_timeval64_t;

/* The clocks of uv_clock_gettime(). */
typedef enum {
  UV_CLOCK_MONOTONIC, /* never goes backwards; its zero means nothing */
  UV_CLOCK_REALTIME   /* since 1970; can be set */
} uv_clock_id;

/* ---- Files ---- */

/* What is known of a file, the same on every system. Fields that the system lacks are 0. */
typedef struct {
  uint64_t st_dev;
  uint64_t st_mode;
  uint64_t st_nlink;
  uint64_t st_uid;
  uint64_t st_gid;
  uint64_t st_rdev;
  uint64_t st_ino;
  uint64_t st_size;    /* bytes */
  uint64_t st_blksize; /* bytes */
  uint64_t st_blocks;  /* of 512 bytes */
  uint64_t st_flags;
  uint64_t st_gen;
  uv_timespec_t st_atim;
  uv_timespec_t st_mtim;
  uv_timespec_t st_ctim;
  uv_timespec_t st_birthtim;
} uv_stat_t;

/* What is known of a file system; the ptr of a uv_fs_statfs() request. */
struct uv_statfs_s {
  uint64_t f_type;
  uint64_t f_bsize;  /* bytes */
  uint64_t f_blocks; /* of f_frsize bytes, as are the next two */
  uint64_t f_bfree;
  uint64_t f_bavail; /* free for those who are not root */
  uint64_t f_files;
  uint64_t f_ffree;
  uint64_t f_frsize; /* bytes */
  uint64_t f_spare[3];
};

typedef enum {
  UV_DIRENT_UNKNOWN,
  UV_DIRENT_FILE,
  UV_DIRENT_DIR,
  UV_DIRENT_LINK,
  UV_DIRENT_FIFO,
  UV_DIRENT_SOCKET,
  UV_DIRENT_CHAR,
  UV_DIRENT_BLOCK
} uv_dirent_type_t;

/* One entry of a directory. The name belongs to the request that gave it, until uv_fs_req_cleanup(). */
struct uv_dirent_s {
  const char* name;
  uv_dirent_type_t type;
};

/* An open directory: the ptr of a uv_fs_opendir() request, freed by uv_fs_closedir(). */
struct uv_dir_s {
  uv_dirent_t* dirents; /* the user's array, filled by uv_fs_readdir() */
  size_t nentries;      /* its length */
  void* reserved[4];
  UV_DIR_PRIVATE_FIELDS
};

/* Flags of uv_fs_copyfile(). */
#define UV_FS_COPYFILE_EXCL 0x0001           /* UV_EEXIST if the destination exists */
#define UV_FS_COPYFILE_FICLONE 0x0002        /* share the blocks where possible, else copy */
#define UV_FS_COPYFILE_FICLONE_FORCE 0x0004  /* share the blocks or fail */

/* Flags of uv_fs_symlink(); they mean something on Windows only. */
#define UV_FS_SYMLINK_DIR 0x0001
#define UV_FS_SYMLINK_JUNCTION 0x0002

/* Times of uv_fs_utime() and its like: now, and leave it as it is. */
#define UV_FS_UTIME_NOW (INFINITY)
#define UV_FS_UTIME_OMIT (NAN)

/* ---- The machine ---- */

struct uv_cpu_times_s {
  uint64_t user; /* all of them ms */
  uint64_t nice;
  uint64_t sys;
  uint64_t idle;
  uint64_t irq;
};

/* One CPU; from uv_cpu_info(), freed by uv_free_cpu_info(). */
struct uv_cpu_info_s {
  const char* model;
  int speed; /* MHz; 0 if unknown */
  struct uv_cpu_times_s cpu_times;
};

/* One address of a network interface; from uv_interface_addresses(), freed by uv_free_interface_addresses(). */
struct uv_interface_address_s {
  char* name;
  char phys_addr[6];
  int is_internal; /* nonzero for a loopback interface */
  union {
    struct sockaddr_in address4;
    struct sockaddr_in6 address6;
  } address;
  union {
    struct sockaddr_in netmask4;
    struct sockaddr_in6 netmask6;
  } netmask;
};

struct uv_utsname_s {
  char sysname[256];
  char release[256];
  char version[256];
  char machine[256];
};

/* Sizes that hold any name, the zero at the end included: of an interface, of the host. */
#define UV_IF_NAMESIZE (16 + 1)
#define UV_MAXHOSTNAMESIZE (MAXHOSTNAMELEN + 1)

/* ---- Users and the environment ---- */

/* Freed by uv_os_free_passwd(). */
struct uv_passwd_s {
  char* username;
  unsigned long uid;
  unsigned long gid;
  char* shell;
  char* homedir;
};

/* Freed by uv_os_free_group(). */
struct uv_group_s {
  char* groupname;
  unsigned long gid;
  char** members; /* ends with NULL */
};

/* One variable; from uv_os_environ(), freed by uv_os_free_environ(). */
struct uv_env_item_s {
  char* name;
  char* value;
};

/* ---- The process and its threads ---- */

/* What was used so far. Fields that the system does not count are 0. */
typedef struct {
  uv_timeval_t ru_utime; /* CPU time in user mode */
  uv_timeval_t ru_stime; /* CPU time in the kernel */
  uint64_t ru_maxrss;    /* KiB */
  uint64_t ru_ixrss;
  uint64_t ru_idrss;
  uint64_t ru_isrss;
  uint64_t ru_minflt;    /* page faults without and with reading from disk */
  uint64_t ru_majflt;
  uint64_t ru_nswap;
  uint64_t ru_inblock;
  uint64_t ru_oublock;
  uint64_t ru_msgsnd;
  uint64_t ru_msgrcv;
  uint64_t ru_nsignals;
  uint64_t ru_nvcsw;     /* context switches, voluntary and not */
  uint64_t ru_nivcsw;
} uv_rusage_t;

/* Priorities of uv_os_setpriority(). */
#define UV_PRIORITY_LOW 19
#define UV_PRIORITY_BELOW_NORMAL 10
#define UV_PRIORITY_NORMAL 0
#define UV_PRIORITY_ABOVE_NORMAL -7
#define UV_PRIORITY_HIGH -14
#define UV_PRIORITY_HIGHEST -20

/* Priorities of uv_thread_setpriority(). */
enum {
  UV_THREAD_PRIORITY_HIGHEST = 2,
  UV_THREAD_PRIORITY_ABOVE_NORMAL = 1,
  UV_THREAD_PRIORITY_NORMAL = 0,
  UV_THREAD_PRIORITY_BELOW_NORMAL = -1,
  UV_THREAD_PRIORITY_LOWEST = -2
};

typedef enum {
  UV_THREAD_NO_FLAGS = 0x00,
  UV_THREAD_HAS_STACK_SIZE = 0x01 /* stack_size is set */
} uv_thread_create_flags;

/* Options of uv_thread_create_ex(). Set flags: it says which of the other fields count. */
struct uv_thread_options_s {
  unsigned int flags;
  size_t stack_size; /* bytes; rounded up to pages, 0 for the default */
};

/* Filled by uv_metrics_info(). */
struct uv_metrics_s {
  uint64_t loop_count;     /* turns of the loop */
  uint64_t events;         /* events handled */
  uint64_t events_waiting; /* of those, the ones that were there before the loop looked */
  uint64_t* reserved[13];
};

#endif /* UV_DATA_H */
