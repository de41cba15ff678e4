/* numeric.c - sums, products and functions as numpy, scipy and BLAS compute them. */
#include "sklearn/numeric.h"

#define BLOCK 128 /* PW_BLOCKSIZE */

double pickle__sum(const double *x, size_t n)
{
    double r[8], sum = 0;
    size_t i, half;

    if (n < 8) {
        for (i = 0; i < n; i++)
            sum += x[i];
        return sum;
    }
    if (n > BLOCK) {
        half = n / 2 - n / 2 % 8;
        return pickle__sum(x, half) + pickle__sum(x + half, n - half);
    }
    for (i = 0; i < 8; i++)
        r[i] = x[i];
    for (; i < n - n % 8; i += 8) {
        for (size_t k = 0; k < 8; k++)
            r[k] += x[i + k];
    }
    sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; i++)
        sum += x[i];
    return sum;
}

float pickle__sum_f32(const float *x, size_t n)
{
    float r[8], sum = 0;
    size_t i, half;

    if (n < 8) {
        for (i = 0; i < n; i++)
            sum += x[i];
        return sum;
    }
    if (n > BLOCK) {
        half = n / 2 - n / 2 % 8;
        return pickle__sum_f32(x, half) + pickle__sum_f32(x + half, n - half);
    }
    for (i = 0; i < 8; i++)
        r[i] = x[i];
    for (; i < n - n % 8; i += 8) {
        for (size_t k = 0; k < 8; k++)
            r[k] += x[i + k];
    }
    sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; i++)
        sum += x[i];
    return sum;
}

double pickle__squares(const double *x, size_t n)
{
    double lane[2] = { 0, 0 };
    size_t i = 0;

    for (; i + 8 <= n; i += 8) {
        for (size_t k = 8; k > 0; k -= 2) {
            lane[0] = x[i + k - 2] * x[i + k - 2] + lane[0];
            lane[1] = x[i + k - 1] * x[i + k - 1] + lane[1];
        }
    }
    for (; i < n; i += 2) {
        lane[0] = x[i] * x[i] + lane[0];
        if (i + 1 < n)
            lane[1] = x[i + 1] * x[i + 1] + lane[1];
    }
    return lane[0] + lane[1];
}

/* Four lanes, and what is left over in them; before numpy 1.21 from the last to the first. */
float pickle__squares_f32(const float *x, size_t n, bool old)
{
    size_t block = old ? 8 : 16, i = 0;
    float lane[4] = { 0 }, sum;

    for (; i + block <= n; i += block) {
        for (size_t at = 0; at < block; at += 4) {
            const float *four = x + i + (old ? at : block - 4 - at);

            for (size_t k = 0; k < 4; k++)
                lane[k] += four[k] * four[k];
        }
    }
    for (size_t k = i; !old && k < n; k++)
        lane[k % 4] += x[k] * x[k];
    sum = (lane[0] + lane[1]) + (lane[2] + lane[3]);
    for (size_t k = n; old && k > i; k--)
        sum += x[k - 1] * x[k - 1];
    return sum;
}

double pickle__dot(const double *x, const double *y, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

void pickle__softmax(double *x, size_t n)
{
    double most = n ? x[0] : 0, sum;

    for (size_t i = 1; i < n; i++)
        most = x[i] > most ? x[i] : most;
    for (size_t i = 0; i < n; i++)
        x[i] = exp(x[i] - most);
    sum = pickle__sum(x, n);
    for (size_t i = 0; i < n; i++)
        x[i] /= sum;
}

double pickle__logsumexp(const double *x, size_t n)
{
    double most = n ? x[0] : 0, sum = 0, r[BLOCK];

    for (size_t i = 1; i < n; i++)
        most = x[i] > most ? x[i] : most;
    if (!isfinite(most))
        most = 0;
    if (n <= BLOCK) {
        for (size_t i = 0; i < n; i++)
            r[i] = exp(x[i] - most);
        sum = pickle__sum(r, n);
    } else {
        for (size_t i = 0; i < n; i++)
            sum += exp(x[i] - most);
    }
    return log(sum) + most;
}

size_t pickle__largest(const double *x, size_t n)
{
    size_t best = 0;

    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i]))
            return i;
        if (x[i] > x[best])
            best = i;
    }
    return best;
}
