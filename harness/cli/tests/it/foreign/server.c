/* A server that knows nothing of this project: answers every GET on 127.0.0.1, or in a container on all addresses, at the
 * port in PORT or in its first argument. With a second argument it refuses to run as another user than root. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char ANSWER[] = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 6\r\n\r\nhello\n";

static void *serve(void *given) {
    int connection = (int)(long)given, on = 1;
    char request[8192];
    size_t have = 0;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (;;) {
        ssize_t got = read(connection, request + have, sizeof request - 1 - have);
        if (got <= 0)
            break;
        have += (size_t)got;
        request[have] = 0;
        char *end;
        int closing = 0;
        while ((end = strstr(request, "\r\n\r\n"))) {
            *end = 0;
            closing = strstr(request, "connection: close") != NULL;
            if (write(connection, ANSWER, sizeof ANSWER - 1) < 0)
                closing = 1;
            have -= (size_t)(end + 4 - request);
            memmove(request, end + 4, have + 1);
        }
        if (closing || have == sizeof request - 1)
            break;
    }
    close(connection);
    return NULL;
}

int main(int argc, char **argv) {
    const char *port = argc > 1 ? argv[1] : getenv("PORT");
    const char *everywhere = getenv("EVERYWHERE");
    if (argc > 2 && getuid() != 0) {
        fprintf(stderr, "this must run as root\n");
        return 3;
    }
    if (!port) {
        fprintf(stderr, "no port was given\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
    address.sin_addr.s_addr = everywhere ? INADDR_ANY : htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 128)) {
        perror("cannot listen");
        return 1;
    }
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        pthread_t thread;
        if (connection >= 0 && !pthread_create(&thread, NULL, serve, (void *)(long)connection))
            pthread_detach(thread);
    }
}
