/*
 * special.c - functions of scipy.special.
 *
 * Facts: the rational approximations of the Cephes library, which scipy evaluates by Horner's rule.
 */
#include "sklearn/special.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#define SQRT1_2 0.70710678118654752440
#define SQRT2PI 2.50662827463100050242
#define EXP_M2  0.13533528323661269189
#define MAXLOG  7.09782712893383996843E2

/* c[0] x^(n-1) + ... + c[n-1]. */
static double polynomial(double x, const double *c, size_t n)
{
    double sum = c[0];

    for (size_t i = 1; i < n; i++)
        sum = sum * x + c[i];
    return sum;
}

/* Likewise, after x^n. */
static double monic(double x, const double *c, size_t n)
{
    double sum = x + c[0];

    for (size_t i = 1; i < n; i++)
        sum = sum * x + c[i];
    return sum;
}

#define COUNT(c) (sizeof(c) / sizeof *(c))
/* f p(x) / q(x): the product comes first. */
#define RATIO(f, x, p, q) ((f)*polynomial(x, p, COUNT(p)) / monic(x, q, COUNT(q)))

/* Of |x| <= 1. */
static double erf_near(double x)
{
    static const double p[] = { 9.60497373987051638749E0, 9.00260197203842689217E1,
                                2.23200534594684319226E3, 7.00332514112805075473E3,
                                5.55923013010394962768E4 };
    static const double q[] = { 3.35617141647503099647E1, 5.21357949780152679795E2,
                                4.59432382970980127987E3, 2.26290000613890934246E4,
                                4.92673942608635921086E4 };
    double z = x * x;

    return RATIO(x, z, p, q);
}

/* Of x > 0. */
static double erfc_of(double x)
{
    static const double p[] = { 2.46196981473530512524E-10, 5.64189564831068821977E-1,
                                7.46321056442269912687E0,   4.86371970985681366614E1,
                                1.96520832956077098242E2,   5.26445194995477358631E2,
                                9.34528527171957607540E2,   1.02755188689515710272E3,
                                5.57535335369399327526E2 };
    static const double q[] = { 1.32281951154744992508E1, 8.67072140885989742329E1,
                                3.54937778887819891062E2, 9.75708501743205489753E2,
                                1.82390916687909736289E3, 2.24633760818710981792E3,
                                1.65666309194161350182E3, 5.57535340817727675546E2 };
    static const double r[] = { 5.64189583547755073984E-1, 1.27536670759978104416E0,
                                5.01905042251180477414E0,  6.16021097993053585195E0,
                                7.40974269950448939160E0,  2.97886665372100240670E0 };
    static const double s[] = { 2.26052863220117276590E0, 9.39603524938001434673E0,
                                1.20489539808096656605E1, 1.70814450747565897222E1,
                                9.60896809063285878198E0, 3.36907645100081516050E0 };
    double z = -x * x;

    if (x < 1)
        return 1 - erf_near(x);
    if (z < -MAXLOG)
        return 0;
    z = exp(z);
    return x < 8 ? RATIO(z, x, p, q) : RATIO(z, x, r, s);
}

double pickle__ndtr(double x)
{
    double z = x * SQRT1_2, y;

    if (isnan(x))
        return x;
    if (fabs(z) < SQRT1_2)
        return 0.5 + 0.5 * erf_near(z);
    y = 0.5 * erfc_of(fabs(z));
    return z > 0 ? 1 - y : y;
}

/* For p below exp(-2), less its sign. */
static double ndtri_tail(double p)
{
    static const double p1[] = { 4.05544892305962419923E0,   3.15251094599893866154E1,
                                 5.71628192246421288162E1,   4.40805073893200834700E1,
                                 1.46849561928858024014E1,   2.18663306850790267539E0,
                                 -1.40256079171354495875E-1, -3.50424626827848203418E-2,
                                 -8.57456785154685413611E-4 };
    static const double q1[] = { 1.57799883256466749731E1,   4.53907635128879210584E1,
                                 4.13172038254672030440E1,   1.50425385692907503408E1,
                                 2.50464946208309415979E0,   -1.42182922854787788574E-1,
                                 -3.80806407691578277194E-2, -9.33259480895457427372E-4 };
    static const double p2[] = { 3.23774891776946035970E0,  6.91522889068984211695E0,
                                 3.93881025292474443415E0,  1.33303460815807542389E0,
                                 2.01485389549179081538E-1, 1.23716634817820021358E-2,
                                 3.01581553508235416007E-4, 2.65806974686737550832E-6,
                                 6.23974539184983293730E-9 };
    static const double q2[] = { 6.02427039364742014255E0,  3.67983563856160859403E0,
                                 1.37702099489081330271E0,  2.16236993594496635890E-1,
                                 1.34204006088543189037E-2, 3.28014464682127739104E-4,
                                 2.89247864745380683936E-6, 6.79019408009981274425E-9 };
    double x = sqrt(-2 * log(p)), z = 1 / x;
    double rough = x - log(x) / x;

    return rough - (x < 8 ? RATIO(z, z, p1, q1) : RATIO(z, z, p2, q2));
}

double pickle__ndtri(double p)
{
    static const double p0[] = { -5.99633501014107895267E1, 9.80010754185999661536E1,
                                 -5.66762857469070293439E1, 1.39312609387279679503E1,
                                 -1.23916583867381258016E0 };
    static const double q0[] = { 1.95448858338141759834E0, 4.67627912898881538453E0,
                                 8.63602421390890590575E1, -2.25462687854119370527E2,
                                 2.00260212380060660359E2, -8.20372256168333339912E1,
                                 1.59056225126211695515E1, -1.18331621121330003142E0 };
    bool upper = p > 1 - EXP_M2;
    double y = upper ? 1 - p : p, square;

    if (isnan(p))
        return p;
    if (y <= EXP_M2)
        return upper ? ndtri_tail(y) : -ndtri_tail(y);
    y -= 0.5;
    square = y * y;
    return (y + y * RATIO(square, square, p0, q0)) * SQRT2PI;
}

double pickle__expm1(double x)
{
    static const double p[] = { 1.2617719307481059087798E-4, 3.0299440770744196129956E-2,
                                9.9999999999999999991025E-1 };
    static const double q[] = { 3.0019850513866445504159E-6, 2.5244834034968410419224E-3,
                                2.2726554820815502876593E-1, 2.0000000000000000000897E0 };
    double square = x * x, r;

    if (!(x >= -0.5 && x <= 0.5))
        return exp(x) - 1;
    r = x * polynomial(square, p, COUNT(p));
    r = r / (polynomial(square, q, COUNT(q)) - r);
    return r + r;
}
