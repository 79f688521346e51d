#include "loop.h"
#include "owner.h"
#include "suite.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct probe {
    struct loop *loop;
    struct loop_source source;
    struct loop_timer timer;
    struct loop_task task;
    struct probe *other;
    int count;
    int order[300], ordered;
};

static void stop_on_timer(struct loop_timer *timer)
{
    loop_stop(OWNER_OF(timer, struct probe, timer)->loop);
}

static struct probe *order_to;
struct numbered {
    struct loop_timer timer;
    int number;
};
static void note_order(struct loop_timer *timer)
{
    order_to->order[order_to->ordered++] = OWNER_OF(timer, struct numbered, timer)->number;
}

START_TEST(timers_fire_in_order)
{
    struct probe probe = {.timer.fire = stop_on_timer};
    struct numbered timers[200] = {0};
    ck_assert_int_eq(loop_new(&probe.loop), 0);
    order_to = &probe;
    for (int i = 0; i < 200; i++) {
        timers[i].timer.fire = note_order;
        timers[i].number = i * 7919 % 50;
        ck_assert_int_eq(loop_timer_set(probe.loop, &timers[i].timer, (uint64_t)timers[i].number),
                         0);
    }
    int cancelled = 0;
    for (int i = 0; i < 200; i += 3, cancelled++)
        loop_timer_cancel(probe.loop, &timers[i].timer);
    loop_timer_cancel(probe.loop, &timers[0].timer); /* twice is fine */
    loop_timer_set(probe.loop, &probe.timer, 60);
    ck_assert_int_eq(loop_run(probe.loop), 0);
    ck_assert_int_eq(probe.ordered, 200 - cancelled);
    for (int i = 1; i < probe.ordered; i++)
        ck_assert_int_le(probe.order[i - 1], probe.order[i]);
    loop_free(probe.loop);
}
END_TEST

static void rearm_at_once(struct loop_timer *timer)
{
    struct probe *probe = OWNER_OF(timer, struct probe, timer);
    probe->count++;
    loop_timer_set(probe->loop, timer, 0);
}

static void stop_on_ready(struct loop_source *source, uint32_t events)
{
    (void)events;
    loop_stop(OWNER_OF(source, struct probe, source)->loop);
}

START_TEST(an_eager_timer_starves_nobody)
{
    struct probe probe = {.timer.fire = rearm_at_once, .source.ready = stop_on_ready};
    int ends[2];
    ck_assert_int_eq(loop_new(&probe.loop), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    loop_timer_set(probe.loop, &probe.timer, 0);
    ck_assert_int_eq(loop_add(probe.loop, &probe.source, ends[0], EPOLLIN), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    ck_assert_int_eq(loop_run(probe.loop), 0); /* ends only when the source is served */
    ck_assert_int_ge(probe.count, 0);
    close(ends[0]);
    close(ends[1]);
    loop_free(probe.loop);
}
END_TEST

static void remove_the_other(struct loop_source *source, uint32_t events)
{
    struct probe *probe = OWNER_OF(source, struct probe, source);
    (void)events;
    probe->count++;
    loop_remove(probe->loop, &probe->source);
    loop_remove(probe->loop, &probe->other->source);
    loop_remove(probe->loop, &probe->other->source); /* twice is fine */
    loop_stop(probe->loop);
}

START_TEST(a_removed_source_is_not_called_in_the_same_round)
{
    struct probe a = {.source.ready = remove_the_other}, b = {.source.ready = remove_the_other};
    int pa[2], pb[2];
    ck_assert_int_eq(loop_new(&a.loop), 0);
    b.loop = a.loop;
    a.other = &b;
    b.other = &a;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pa), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pb), 0);
    ck_assert_int_eq(write(pa[1], "x", 1), 1);
    ck_assert_int_eq(write(pb[1], "x", 1), 1);
    loop_add(a.loop, &a.source, pa[0], EPOLLIN);
    loop_add(a.loop, &b.source, pb[0], EPOLLIN);
    ck_assert_int_eq(loop_run(a.loop), 0);
    ck_assert_int_eq(a.count + b.count, 1);
    for (int i = 0; i < 2; i++) {
        close(pa[i]);
        close(pb[i]);
    }
    loop_free(a.loop);
}
END_TEST

#define POSTS 20000
struct counted {
    struct loop_task task;
    struct probe *probe;
};

static void count_task(struct loop_task *task)
{
    struct counted *counted = OWNER_OF(task, struct counted, task);
    if (++counted->probe->count == POSTS)
        loop_stop(counted->probe->loop);
    free(counted);
}

static void *post_many(void *argument)
{
    struct probe *probe = argument;
    for (int i = 0; i < POSTS / 4; i++) {
        struct counted *counted = calloc(1, sizeof(*counted));
        counted->probe = probe;
        counted->task.run = count_task;
        loop_post(probe->loop, &counted->task);
    }
    return NULL;
}

START_TEST(posts_from_threads_all_arrive)
{
    struct probe probe = {0};
    pthread_t threads[4];
    ck_assert_int_eq(loop_new(&probe.loop), 0);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, post_many, &probe), 0);
    ck_assert_int_eq(loop_run(probe.loop), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(probe.count, POSTS);
    loop_free(probe.loop);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loop");
    TCase *tests = tcase_create("loop");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, timers_fire_in_order);
    tcase_add_test(tests, an_eager_timer_starves_nobody);
    tcase_add_test(tests, a_removed_source_is_not_called_in_the_same_round);
    tcase_add_test(tests, posts_from_threads_all_arrive);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
