/* What the tests run in their containers: each word of the command line is a thing to do or to tell. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void show(const char *path) {
    char buffer[4096];
    size_t length;
    FILE *file = fopen(path, "r");
    if (!file) {
        printf("%s: %s\n", path, strerror(errno));
        return;
    }
    while ((length = fread(buffer, 1, sizeof buffer, file)) > 0)
        fwrite(buffer, 1, length, stdout);
    fclose(file);
}

static void list(const char *path) {
    struct dirent *entry;
    DIR *dir = opendir(path);
    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            printf("%s ", entry->d_name);
    printf("\n");
}

static void tell(const char *call, long result) {
    printf("%s: %s\n", call, result < 0 ? strerror(errno) : "ok");
}

static void calls(void) {
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    tell("fork", child);
    waitpid(child, NULL, 0);
    tell("clone3", syscall(SYS_clone3, NULL, 0));
    tell("clone with a namespace", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
    tell("unshare", unshare(CLONE_NEWUSER));
    tell("mount", mount("none", "/proc", "tmpfs", 0, NULL));
    tell("bpf", syscall(SYS_bpf, 0, NULL, 0));
    tell("socket", socket(AF_INET, SOCK_STREAM, 0));
    tell("vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
}

static void crowd(int most) {
    int count = 1;
    while (count < most) {
        pid_t child = fork();
        if (child < 0)
            break;
        if (child == 0)
            for (;;)
                pause();
        count++;
    }
    printf("crowd of %d\n", count);
}

static void eat(size_t bytes) {
    char *memory = malloc(bytes);
    memset(memory, 1, bytes);
    printf("ate %d\n", memory[bytes - 1]);
}

static void end(int signal) {
    (void)signal;
    _exit(7);
}

/* Unlike SIG_IGN, a handler that the runtime sees. */
static void stay(int signal) {
    (void)signal;
}

int main(int count, char **words) {
    for (int at = 1; at < count; at++) {
        char *word = words[at];
        if (strcmp(word, "show") == 0)
            show(words[++at]);
        else if (strcmp(word, "list") == 0)
            list(words[++at]);
        else if (strcmp(word, "pid") == 0)
            printf("pid %d\n", getpid());
        else if (strcmp(word, "host") == 0) {
            char name[256];
            gethostname(name, sizeof name);
            printf("host %s\n", name);
        } else if (strcmp(word, "env") == 0)
            for (char **variable = environ; *variable; variable++)
                printf("%s\n", *variable);
        else if (strcmp(word, "create") == 0) {
            word = words[++at];
            printf("create %s: %s\n", word, open(word, O_CREAT | O_WRONLY, 0600) < 0 ? strerror(errno) : "ok");
        } else if (strcmp(word, "calls") == 0)
            calls();
        else if (strcmp(word, "crowd") == 0)
            crowd(atoi(words[++at]));
        else if (strcmp(word, "eat") == 0)
            eat(strtoul(words[++at], NULL, 10));
        else if (strcmp(word, "listen") == 0)
            signal(SIGTERM, end);
        else if (strcmp(word, "ignore") == 0)
            signal(SIGTERM, stay);
        else if (strcmp(word, "wait") == 0) {
            printf("waiting\n");
            fflush(stdout);
            for (;;)
                pause();
        } else if (strcmp(word, "exit") == 0) {
            fflush(stdout);
            return atoi(words[++at]);
        }
    }
    return 0;
}
